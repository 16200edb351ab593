namespace DeviceHub.Tools.VirtualTerminals;

internal static class Program
{
    private static Task<int> Main(string[] args) => FleetCommand.Build().Parse(args).InvokeAsync();
}
