using System.CommandLine;
using DeviceHub.Tools.Bench.Commands;

namespace DeviceHub.Tools.Bench;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        var parsed = BenchCommand.Build().Parse(args);
        // Ctrl-C is each command's own to hear: a test that was stopped still writes what it found.
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
        return parsed.Errors.Count > 0 ? ExitCode.BadInput : code;
    }
}
