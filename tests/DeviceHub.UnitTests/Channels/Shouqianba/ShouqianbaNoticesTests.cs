using System.Security.Cryptography;
using System.Text;
using DeviceHub.Channels.Shouqianba;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.Shouqianba;

public sealed class ShouqianbaNoticesTests : IDisposable
{
    private const string Body = """{"terminal_sn":"100000000001","sn":"7892259488292938","client_sn":"o1","status":"SUCCESS","order_status":"PAID","payer_login":"134****3920","total_amount":"1234","net_amount":"1234","subject":"早餐","reflect":{"tips":"200"}}""";

    private readonly RSA key = RSA.Create(2048);
    private readonly ShouqianbaNotices notices = new();
    private readonly ShouqianbaStub stub;

    public ShouqianbaNoticesTests() => stub = new ShouqianbaStub(fields: [("noticePublicKey", key.ExportSubjectPublicKeyInfoPem())]);

    [Theory]
    [InlineData("")]
    [InlineData(ShouqianbaStub.Sn + " ")]
    public void Signed_notice_is_read_and_read_again(string before)
    {
        var expected = new ChannelNotice("o1", null, new ChannelVerdict(Verdict.Approved, "SUCCESS.PAID", "paid", PaidFen: 1234, Transaction: "7892259488292938", Payer: "134****3920"));
        Assert.Equal(new NoticeReading(expected, null), Read(Body, before + Sign(Body)));
        Assert.Equal(new NoticeReading(expected, null), Read(Body, before + Sign(Body)));
    }

    [Fact]
    public void Notice_that_is_not_signed_by_Shouqianba_for_this_terminal_is_not_believed()
    {
        using var another = RSA.Create(2048);
        var foreign = Convert.ToBase64String(another.SignData(Encoding.UTF8.GetBytes(Body), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        Assert.Equal("its signature is wrong", Read(Body, foreign).Fault);
        Assert.Equal("its signature is wrong", Read(Body.Replace("1234", "1235", StringComparison.Ordinal), Sign(Body)).Fault);
        Assert.Equal("its signature is wrong", Read(Body, "no base64").Fault);
        Assert.Equal("it is not signed", Read(Body, null).Fault);
        var other = Body.Replace(ShouqianbaStub.Sn, "2", StringComparison.Ordinal);
        Assert.Equal("it is for another terminal", Read(other, Sign(other)).Fault);
        Assert.Equal("it names no order", Read("{}", Sign("{}")).Fault);
        Assert.Equal("it names no order", Read("x", Sign("x")).Fault);
    }

    [Fact]
    public void Account_without_Shouqianbas_key_believes_no_notice()
    {
        Assert.Equal(
            "the account has no noticePublicKey, so who sent it cannot be checked",
            notices.Read(new ShouqianbaStub().Kept, Request(Body, Sign(Body))).Fault);
        Assert.Equal("noticePublicKey cannot be read", notices.Read(new ShouqianbaStub(fields: [("noticePublicKey", "x")]).Kept, Request(Body, Sign(Body))).Fault);
    }

    [Fact]
    public void Shouqianba_hears_success() => Assert.Equal(("success", "fail"), (notices.Reply(true).Body, notices.Reply(false).Body));

    public void Dispose() => key.Dispose();

    private string Sign(string body) => Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(body), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    private NoticeReading Read(string body, string? authorization) => notices.Read(stub.Kept, Request(body, authorization));

    private static NoticeRequest Request(string body, string? authorization) => new(
        authorization is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["authorization"] = authorization }, Encoding.UTF8.GetBytes(body), DateTimeOffset.UnixEpoch);
}
