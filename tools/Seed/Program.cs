namespace DeviceHub.Tools.Seed;

internal static class Program
{
    private static Task<int> Main(string[] args) => SeedCommand.Build().Parse(args).InvokeAsync();
}
