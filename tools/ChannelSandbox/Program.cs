namespace DeviceHub.Tools.ChannelSandbox;

internal static class Program
{
    private static Task<int> Main(string[] args) => SandboxCommand.Build().Parse(args).InvokeAsync();
}
