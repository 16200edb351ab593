using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The emulated terminal on a cable to a real hub.</summary>
[Collection(SerialHub.Collection)]
public sealed class SerialHubTests(SerialHub hub)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Emulated_terminal_is_activated_and_pays_at_a_hub_over_a_serial_line_by_a_script()
    {
        var script = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(script, "expect ready\nscan 134567890123456789 12.80\nexpect paid 12.80\npower\nexpect ready\n");
            using var terminal = new ToolProcess(
                "devicehub-bench.dll", "emulate", "--port", hub.Cables[2].TerminalEnd, "--serial-number", SerialHub.NewSerial(), "--activation-code",
                await hub.NewCode(await hub.NewStore()), "--rates", "921600", "--script", script);

            Assert.True(await terminal.Exits(Limit) == 0, terminal.Output + terminal.Errors);
        }
        finally
        {
            File.Delete(script);
        }
    }
}
