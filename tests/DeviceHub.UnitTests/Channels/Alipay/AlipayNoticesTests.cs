using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.Alipay;

public sealed class AlipayNoticesTests
{
    private readonly AlipayStub stub = new(_ => "{}");

    [Fact]
    public void Notice_that_Alipay_really_sent_is_read()
    {
        var account = new ChannelAccount
        {
            Id = "a",
            MerchantId = "m",
            Channel = "alipay",
            Settings = new Dictionary<string, string> { ["appId"] = "2019073166072302", ["alipayPublicKey"] = AlipaySigningTests.PublishedKey },
            Secrets = AlipayStub.NewAccount().Secrets,
        };
        var reading = stub.Notices.Read(account, Request(Form(AlipaySigningTests.PublishedNotice)));

        Assert.Null(reading.Fault);
        Assert.Equal(
            new ChannelNotice("20190815155618536-564-57", null, new ChannelVerdict(
                Verdict.Approved, "TRADE_SUCCESS", "paid", PaidFen: 10, DiscountFen: 0, Transaction: "2019081522001468450512505578", Payer: "xud***@126.com")),
            reading.Notice);
    }

    [Fact]
    public void Notice_is_read_again_when_it_comes_again_and_its_amount_is_its_own()
    {
        // Whether the order exists and is of this amount is the ledger's to say; the notice only has it asked about.
        var body = Signed(("total_amount", "99.99"), ("out_trade_no", "nobodys"));
        Assert.Equal(stub.Notices.Read(stub.Account, Request(body)), stub.Notices.Read(stub.Account, Request(body)));
        var notice = stub.Notices.Read(stub.Account, Request(body)).Notice!;
        Assert.Equal(("nobodys", 9999), (notice.OrderNumber, notice.Verdict.PaidFen));
    }

    [Fact]
    public void Notice_of_a_refund_names_it()
    {
        var notice = stub.Notices.Read(stub.Account, Request(Signed(("out_biz_no", "o1r1"), ("refund_fee", "1.00"), ("gmt_refund", "2026-11-26 00:00:00.123")))).Notice!;
        Assert.Equal(("o1", "o1r1", Verdict.Refunded), (notice.OrderNumber, notice.RefundNumber, notice.Verdict.Verdict));
    }

    [Fact]
    public void Notice_is_read_with_an_expired_certificate_whose_key_it_is_signed_with()
    {
        // It proves nothing by itself: it has the payment asked about.
        var account = AlipaySigningTests.Certified(days: 1, AlipayStub.ApplicationKey);
        stub.Clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal("o1", stub.Notices.Read(account, Request(Signed())).Notice?.OrderNumber);
        using var another = RSA.Create(2048);
        Assert.Equal("its signature is wrong", stub.Notices.Read(account, Request(Signed(another))).Fault);
    }

    [Fact]
    public void Notice_with_another_key_or_changed_or_for_another_application_is_not_believed()
    {
        using var another = RSA.Create(2048);
        Fault("its signature is wrong", Signed(another, ("total_amount", "1.00")));
        Fault("its signature is wrong", Signed().Replace("o1", "o2", StringComparison.Ordinal));
        Fault("it is for another application", Signed(("app_id", "2021000000000002")));
        Fault("it is not signed with RSA2", Signed().Replace("RSA2", "RSA", StringComparison.Ordinal));
        Fault("it names no order", Signed(("out_trade_no", "")));
        Fault("it is no form, or has a field twice", Signed() + "&total_amount=0.01");
        Fault("it is no form, or has a field twice", "");
        Fault("it is no form, or has a field twice", string.Join('&', Enumerable.Range(0, 300).Select(i => $"f{i}=1")));
        Fault("it is no form, or has a field twice", "a=%FF%FE");
        Fault("it is not signed with RSA2", "a=%zz&b=%");
    }

    [Fact]
    public void Account_without_a_key_believes_nothing() =>
        Assert.Equal(new NoticeReading(null, "the account has no privateKey"), stub.Notices.Read(AlipayStub.NewAccount(without: "privateKey"), Request(Signed())));

    [Fact]
    public void Alipay_hears_success_or_sends_again()
    {
        Assert.Equal(new NoticeReply(200, "text/plain; charset=utf-8", "success"), stub.Notices.Reply(true));
        Assert.Equal("failure", stub.Notices.Reply(false).Body);
    }

    private void Fault(string says, string body) => Assert.Equal(new NoticeReading(null, says), stub.Notices.Read(stub.Account, Request(body)));

    private static string Signed(params (string Name, string Value)[] fields) => Signed(AlipayStub.AlipayKey, fields);

    private static string Signed(RSA key, params (string Name, string Value)[] fields)
    {
        var notice = new Dictionary<string, string>
        {
            ["app_id"] = AlipayStub.AppId, ["out_trade_no"] = "o1", ["trade_status"] = "TRADE_SUCCESS", ["total_amount"] = "1.00", ["subject"] = "早餐 + 牛奶",
        };
        foreach (var (name, value) in fields)
        {
            notice[name] = value;
        }

        var content = string.Join('&', notice.Where(f => f.Value.Length > 0).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Key + "=" + f.Value));
        notice["sign"] = Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(content), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        notice["sign_type"] = "RSA2";
        return Form(notice);
    }

    private static string Form(Dictionary<string, string> fields) =>
        string.Join('&', fields.Select(f => f.Key + "=" + Uri.EscapeDataString(f.Value).Replace("%20", "+", StringComparison.Ordinal)));

    private static NoticeRequest Request(string body) => new(new Dictionary<string, string>(), Encoding.UTF8.GetBytes(body), DateTimeOffset.UnixEpoch);
}
