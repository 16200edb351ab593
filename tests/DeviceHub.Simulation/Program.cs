using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace DeviceHub.Simulation;

/// <summary>The simulation's console when it is spoken to with its own options; else what xunit would generate: its runner.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        if (args.Any(arg => arg is "--server" or "--internal-msbuild-node"))
        {
            return TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
        }

        // xunit's own options have one dash.
        return args.Any(arg => arg.StartsWith("--", StringComparison.Ordinal)) ? SimulationCommand.Build().Parse(args).InvokeAsync() : ConsoleRunner.Run(args);
    }
}
