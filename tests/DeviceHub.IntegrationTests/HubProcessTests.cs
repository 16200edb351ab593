using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests;

/// <summary>The server as an operator starts and stops it.</summary>
public sealed class HubProcessTests
{
    [Fact]
    public async Task Hub_starts_shows_its_password_once_survives_a_kill_and_stops_on_request()
    {
        await using var hub = new HubProcess();
        await hub.Start();
        Assert.Equal(20, hub.FirstPassword?.Length);

        await hub.Kill();
        var printed = hub.Output.Length;
        await hub.Start();
        await Eventually.Holds(() => hub.Output[printed..].Contains("mqtt://", StringComparison.Ordinal), "the second start says where it listens");

        Assert.DoesNotContain(hub.FirstPassword!, hub.Output[printed..], StringComparison.Ordinal);
        Assert.Equal(0, await hub.Stop(TimeSpan.FromSeconds(40)));
    }

    /// <summary>The moments of a start are seen by the files that it makes: keys, the database, what terminals connect to.</summary>
    [Fact]
    public async Task Hub_that_is_stopped_while_it_starts_ends_soon_without_a_stack_and_the_next_start_is_good()
    {
        var root = Directory.CreateTempSubdirectory("hub-").FullName;
        try
        {
            var folder = "";
            foreach (var file in new[] { "hub.key", "hub.db-wal", "sandbox.book", "tls/hub.pem" })
            {
                folder = Path.Combine(root, Path.GetFileName(file));
                using var hub = new ToolProcess(
                    "DeviceHub.Server.dll",
                    $"--Server:DataFolder={folder}", "--Server:Urls=http://127.0.0.1:0", "--Mqtt:Port=0", "--Mqtt:TlsPort=0", "--Mqtt:TlsAddress=127.0.0.1");
                await Eventually.Holds(() => hub.HasExited || File.Exists(Path.Combine(folder, file)), $"the start has made {file}");
                await hub.Terminate();

                Assert.Equal(0, await hub.Exits(TimeSpan.FromSeconds(15)));
                Assert.DoesNotContain("   at ", hub.Output + hub.Errors, StringComparison.Ordinal);
                Assert.DoesNotContain("Exception", hub.Output + hub.Errors, StringComparison.Ordinal);
            }

            await using var next = new HubProcess(folder);
            await next.Start();
            Assert.Equal(0, await next.Stop(TimeSpan.FromSeconds(40)));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
