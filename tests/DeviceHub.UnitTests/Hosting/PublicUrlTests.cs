using DeviceHub.Server.Hosting;

namespace DeviceHub.UnitTests.Hosting;

public sealed class PublicUrlTests
{
    [Theory]
    [InlineData("https://hub.example.com", true)]
    [InlineData("https://hub.example.com/pay/", true)]
    [InlineData("http://127.0.0.1:5080", true)]
    [InlineData("http://localhost:5080", true)]
    [InlineData("http://[::1]:5080", true)]
    [InlineData("http://hub.example.com", false)]
    [InlineData("http://10.0.0.1:5080", false)]
    [InlineData("https://hub.example.com/?a=b", false)]
    [InlineData("ftp://127.0.0.1", false)]
    public void Notices_are_asked_for_over_https_and_for_development_over_http_on_loopback(string url, bool good)
    {
        var result = new ServerOptionsValidator().Validate(null, new ServerOptions { PublicUrl = new Uri(url) });
        Assert.Equal(good, result.Succeeded);
        Assert.True(good || result.FailureMessage!.StartsWith("Server:PublicUrl must be an absolute https address, or http on loopback", StringComparison.Ordinal));
    }
}
