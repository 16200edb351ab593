namespace DeviceHub.Tools.Chaos;

internal static class Program
{
    private static Task<int> Main(string[] args) => ChaosCommand.Build().Parse(args).InvokeAsync();
}
