using DeviceHub.Gateways.Serial;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceHub.IntegrationTests.Serial;

public sealed class SerialLoopTests
{
    /// <summary>A descriptor's number is given to the next file that is opened, so whoever closes it twice closes somebody else's.</summary>
    [Fact]
    public void A_loop_that_is_disposed_twice_closes_nothing_of_others()
    {
        var loop = new SerialLoop(TimeProvider.System, NullLogger.Instance);
        loop.Dispose();
        var files = OpenFiles();
        loop.Dispose();
        foreach (var file in files)
        {
            file.WriteByte(1);
            file.Dispose();
        }
    }

    /// <summary>A session may have something to send while its hub ends.</summary>
    [Fact]
    public void What_is_posted_to_a_loop_that_was_disposed_is_written_into_no_file_of_others()
    {
        var loop = new SerialLoop(TimeProvider.System, NullLogger.Instance);
        loop.Dispose();
        var files = OpenFiles();
        loop.Post(() => { });
        foreach (var file in files)
        {
            Assert.Equal(0, file.Length);
            file.Dispose();
        }
    }

    private static List<FileStream> OpenFiles() => [.. Enumerable.Range(0, 8).Select(_ => new FileStream(
        Path.GetTempFileName(), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose, BufferSize = 0 }))];
}
