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
        var files = Enumerable.Range(0, 8).Select(_ => new FileStream(
            Path.GetTempFileName(), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose, BufferSize = 0 })).ToList();
        loop.Dispose();
        foreach (var file in files)
        {
            file.WriteByte(1);
            file.Dispose();
        }
    }
}
