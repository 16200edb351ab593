using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Tests;
using DeviceHub.Tools.Bench;
using DeviceHub.Tools.Bench.Line;
using ToolTexts = DeviceHub.Tools.Bench.Texts;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>A line that ends says what ended it.</summary>
public sealed class LostLineTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lost-line-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Cable_that_is_pulled_was_unplugged_also_where_a_link_is_left_behind()
    {
        using var pair = new PtyPair(folder, "pulled");
        await pair.Plug();
        using var line = Open(pair.HubEnd);
        pair.Unplug();

        Assert.Equal("the port is not there any more: it was unplugged, or taken away", Said(await Ended(line)));
        File.CreateSymbolicLink(pair.HubEnd, "/dev/pts/none");
        Assert.Equal("串口已不存在：被拔出，或被移走", SerialLine.WhyLost(pair.HubEnd, null).In(ToolTexts.In("zh")));
    }

    [Fact]
    public async Task Line_that_is_closed_here_was_not_lost()
    {
        using var pair = new PtyPair(folder, "closed");
        await pair.Plug();
        var line = Open(pair.HubEnd);
        line.Dispose();

        Assert.Null(await Ended(line));
    }

    [Fact]
    public async Task Rate_that_the_port_does_not_take_ends_the_line_and_nothing_else()
    {
        using var pair = new PtyPair(folder, "rate");
        await pair.Plug();
        using var line = Open(pair.HubEnd);
        line.Rate = -1;

        Assert.StartsWith("-1 baud: ", Said(await Ended(line)), StringComparison.Ordinal);
    }

    [Fact]
    public void Hang_up_stand_still_input_error_and_permission_of_a_port_that_is_there_are_told_apart()
    {
        Assert.Equal("the port has taken nothing for 10 s: it hangs, or whatever is behind it does not read", Said(SerialLine.WhyLost("/dev/null", new TimeoutException())));
        Assert.Equal("the other end hung up, or the port was plugged in again", Said(SerialLine.WhyLost("/dev/null", null)));
        Assert.Equal("reading or writing failed: Input/output error", Said(SerialLine.WhyLost("/dev/null", new IOException("Input/output error"))));
        Assert.Equal("the system does not allow it any more: Permission denied", Said(SerialLine.WhyLost("/dev/null", new UnauthorizedAccessException("Permission denied"))));
    }

    private static SerialLine Open(string path)
    {
        var line = SerialLine.Open(path, 115_200);
        line.Start((_, _) => { });
        return line;
    }

    private static Task<Phrase?> Ended(SerialLine line) => line.Ended.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

    private static string? Said(Phrase? why) => why?.ToString();
}
