using System.Net;
using System.Net.Sockets;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Hub;

namespace DeviceHub.UnitTests.Bench;

public sealed class HubApiTests
{
    [Fact]
    public async Task A_hub_that_is_always_asked_too_often_is_asked_again_only_so_many_times()
    {
        using var hub = new TcpListener(IPAddress.Loopback, 0);
        hub.Start();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var asked = 0;
        var serving = Serve();
        using (var api = new HubApi(new Uri($"http://127.0.0.1:{((IPEndPoint)hub.LocalEndpoint).Port}/"), "key"))
        {
            var refused = await Assert.ThrowsAsync<CaseBlockedException>(() => api.Get("terminals", TestContext.Current.CancellationToken));
            Assert.Contains("429", refused.Message, StringComparison.Ordinal);
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
        Assert.Equal(11, asked);

        async Task Serve()
        {
            while (true)
            {
                using var client = await hub.AcceptTcpClientAsync(stop.Token);
                await client.GetStream().ReadAtLeastAsync(new byte[4096], 1, cancellationToken: stop.Token);
                asked++;
                await client.GetStream().WriteAsync("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), stop.Token);
            }
        }
    }
}
