using System.CommandLine;

namespace DeviceHub.Tools.VirtualTerminals;

internal static class Program
{
    // Ctrl-C is the fleet's own to hear.
    private static Task<int> Main(string[] args) =>
        FleetCommand.Build().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
}
