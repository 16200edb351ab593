using System.Security.Cryptography;
using System.Text;
using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Server.Webhooks;

namespace DeviceHub.UnitTests.Charges;

public sealed class WebhookSignatureTests
{
    [Fact]
    public void Signature_is_the_hmac_of_time_and_body_that_the_api_document_says()
    {
        var body = Encoding.UTF8.GetBytes("""{"id":"c1-1"}""");
        var secret = new string('s', 32);
        var signature = WebhookSender.Sign(new SecretText(secret), DateTimeOffset.FromUnixTimeSeconds(1_790_000_000), body);
        var expected = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(secret), Encoding.UTF8.GetBytes("""1790000000.{"id":"c1-1"}""")));
        Assert.Equal($"t=1790000000,v1={expected}", signature);
    }

    [Theory]
    [InlineData("https://erp.example.com/hook", true)]
    [InlineData("https://ERP.example.com:443/hook", true)]
    [InlineData("http://127.0.0.1:9000/", true)]
    [InlineData("http://erp.example.com/hook", false)]
    [InlineData("https://127.0.0.1:9001/", false)]
    [InlineData("https://erp.example.com.evil.example/", false)]
    [InlineData("https://erp.example.com@evil.example/", false)]
    [InlineData("https://169.254.169.254/latest/meta-data", false)]
    [InlineData("https://erp.example.com/hook?to=1", false)]
    [InlineData("ftp://erp.example.com/", false)]
    [InlineData("erp.example.com", false)]
    public void Only_hosts_that_the_operator_named_are_called(string address, bool allowed) =>
        Assert.Equal(allowed, ChannelAddress.OfAccount(address, "Webhooks:AllowedHosts", ["erp.example.com", "127.0.0.1:9000"]).Fault is null);
}
