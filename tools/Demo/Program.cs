using System.CommandLine;

namespace DeviceHub.Tools.Demo;

internal static class Program
{
    // Ctrl-C is the demo's own to hear.
    private static Task<int> Main(string[] args) =>
        DemoCommand.Build().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
}
