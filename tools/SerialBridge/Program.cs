using System.CommandLine;

namespace DeviceHub.Tools.SerialBridge;

internal static class Program
{
    // Ctrl-C and SIGTERM are the host's to hear: it tells the terminals first.
    private static Task<int> Main(string[] args) => BridgeCommand.Build().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
}
