using System.Net;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Payments;
using DeviceHub.UnitTests.Channels.Alipay;
using DeviceHub.UnitTests.Channels.Shouqianba;
using DeviceHub.UnitTests.Channels.WeChat;

namespace DeviceHub.UnitTests.Channels;

/// <summary>Accounts through a bank's service provider: called at their own address, when the hub's operator allowed its host, and nowhere else.</summary>
public sealed class BankAddressTests
{
    private const string Bank = "https://pay.bank.example/gate";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WeChat_is_called_and_asked_for_bills_at_the_accounts_own_address()
    {
        using var stub = new WeChatStub { Answer = (_, _) => new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) };
        var (v2, v3) = (WeChatStub.AccountV2(other: ("baseUrl", Bank)), WeChatStub.AccountV3(other: ("baseUrl", Bank + "/")));
        await stub.V2.Pay(WeChatStub.Payment(v2), Stop);
        await stub.V2.Reverse(WeChatStub.Reference(v2), Stop);
        await stub.V3.Pay(WeChatStub.Payment(v3), Stop);
        await Assert.ThrowsAsync<BillException>(async () => await stub.BillsV2.Read(v2, new DateOnly(2026, 11, 24), Stop).GetAsyncEnumerator(Stop).MoveNextAsync());
        await Assert.ThrowsAsync<BillException>(async () => await stub.BillsV3.Read(v3, new DateOnly(2026, 11, 24), Stop).GetAsyncEnumerator(Stop).MoveNextAsync());
        Assert.Equal(
            [
                Bank + "/pay/micropay", Bank + "/secapi/pay/reverse", Bank + "/v3/pay/transactions/codepay", Bank + "/pay/downloadbill",
                Bank + "/v3/bill/tradebill?bill_date=2026-11-24&bill_type=ALL&tar_type=GZIP",
            ],
            stub.Asked.Select(a => a.Request.RequestUri!.AbsoluteUri));
    }

    [Theory]
    [InlineData("https://pay.bank.example/gate/bill/1", true)]
    [InlineData("https://api.mch.weixin.qq.com/bill/1", false)]
    public async Task Bill_of_version_3_is_had_from_the_accounts_own_address_only(string url, bool fetched)
    {
        using var stub = new WeChatStub();
        stub.Answer = (request, _) => request.RequestUri!.AbsolutePath.EndsWith("/tradebill", StringComparison.Ordinal)
            ? WeChatStub.Json($$"""{"hash_type":"SHA1","hash_value":"{{new string('0', 40)}}","download_url":"{{url}}"}""")
            : new HttpResponseMessage(HttpStatusCode.NotFound);
        var account = WeChatStub.AccountV3(other: ("baseUrl", Bank));
        await Assert.ThrowsAsync<BillException>(async () => await stub.BillsV3.Read(account, new DateOnly(2026, 11, 24), Stop).GetAsyncEnumerator(Stop).MoveNextAsync());
        Assert.Equal(fetched, stub.Asked.Any(a => a.Request.RequestUri!.AbsoluteUri == url));
    }

    [Fact]
    public async Task Alipay_and_Shouqianba_are_called_at_the_accounts_own_address()
    {
        var alipay = new AlipayStub(_ => AlipayStub.Paid()) { Account = AlipayStub.NewAccount(null, ("baseUrl", Bank + "/gateway.do")) };
        Assert.Equal(Verdict.Approved, (await alipay.Pay()).Verdict);
        Assert.Equal(Bank + "/gateway.do?charset=utf-8", Assert.Single(alipay.Handler.Requests).Address.AbsoluteUri);

        var shouqianba = new ShouqianbaStub(_ => ShouqianbaStub.Business("PAY_SUCCESS", "PAID"), fields: ("baseUrl", Bank));
        Assert.Equal(Verdict.Approved, (await shouqianba.Pay()).Verdict);
        Assert.Equal(Bank + "/upay/v2/pay", Assert.Single(shouqianba.Handler.Requests).Address.AbsoluteUri);
    }

    [Theory]
    [InlineData("https://169.254.169.254/latest")]
    [InlineData("https://pay.bank.example:8443")]
    [InlineData("http://pay.bank.example")]
    [InlineData("http://127.0.0.1:1")]
    public async Task Nothing_is_sent_to_a_host_that_is_not_or_no_longer_allowed(string baseUrl)
    {
        using var wechat = new WeChatStub();
        var (v2, v3) = (WeChatStub.AccountV2(other: ("baseUrl", baseUrl)), WeChatStub.AccountV3(other: ("baseUrl", baseUrl)));
        var alipay = new AlipayStub(_ => AlipayStub.Paid()) { Account = AlipayStub.NewAccount(null, ("baseUrl", baseUrl)) };
        var shouqianba = new ShouqianbaStub(_ => ShouqianbaStub.Business("PAY_SUCCESS", "PAID"), fields: ("baseUrl", baseUrl));
        ChannelVerdict[] paid = [await wechat.V2.Pay(WeChatStub.Payment(v2), Stop), await wechat.V3.Pay(WeChatStub.Payment(v3), Stop), await alipay.Pay(), await shouqianba.Pay()];
        Assert.All(paid, v => Assert.Equal((Verdict.Rerouteable, "account"), (v.Verdict, v.Code)));
        Assert.All(paid, v => Assert.StartsWith("baseUrl ", v.Text!, StringComparison.Ordinal));
        ChannelVerdict[] asked =
        [
            await wechat.V2.Query(WeChatStub.Reference(v2), Stop), await wechat.V3.Query(WeChatStub.Reference(v3), Stop), await alipay.Channel.Query(alipay.Reference, Stop),
            await shouqianba.Channel.Query(shouqianba.Reference, Stop),
        ];
        Assert.All(asked, v => Assert.Equal((Verdict.Unknown, "account"), (v.Verdict, v.Code)));
        Assert.StartsWith("baseUrl ", (await wechat.V2.Test(v2, Stop)).Says, StringComparison.Ordinal);
        Assert.Contains("baseUrl", (await Assert.ThrowsAsync<BillException>(
            async () => await wechat.BillsV2.Read(v2, new DateOnly(2026, 11, 24), Stop).GetAsyncEnumerator(Stop).MoveNextAsync())).Message, StringComparison.Ordinal);
        Assert.Empty(wechat.Asked);
        Assert.Empty(alipay.Handler.Requests);
        Assert.Empty(shouqianba.Handler.Requests);
    }

    [Fact]
    public void Every_channel_but_the_sandbox_has_the_field_and_says_what_is_wrong_with_it()
    {
        using var wechat = new WeChatStub();
        foreach (var channel in (IPaymentChannel[])[wechat.V2, wechat.V3, new AlipayStub(_ => "").Channel, new ShouqianbaStub().Channel])
        {
            Assert.True(Assert.Single(channel.AccountFields, f => f.Name == "baseUrl").Identifies);
            Assert.Null(channel.FieldFault("baseUrl", Bank));
            Assert.Equal("must be https: http is for loopback only", channel.FieldFault("baseUrl", "http://pay.bank.example"));
            Assert.Equal("has a host that is not in the hub's option Channels:Http:AllowedHosts: '10.0.0.1'", channel.FieldFault("baseUrl", "https://10.0.0.1"));
            Assert.Contains("without user", channel.FieldFault("baseUrl", "https://me@pay.bank.example")!, StringComparison.Ordinal);
            Assert.Null(channel.FieldFault("appId", "anything"));
        }
    }

    [Theory]
    [InlineData("pay.bank.example", true)]
    [InlineData("pay.bank.example:8443", true)]
    [InlineData("127.0.0.1:5090", true)]
    [InlineData("https://pay.bank.example", false)]
    [InlineData("pay.bank.example/gate", false)]
    [InlineData("*.bank.example", false)]
    [InlineData("", false)]
    public void Allowed_hosts_are_names_with_a_port(string host, bool good) =>
        Assert.Equal(good, new ChannelHttpOptionsValidator().Validate(null, new ChannelHttpOptions { AllowedHosts = [host] }).Succeeded);
}
