using DeviceHub.Tools.RoutingCore;

// dotnet run --project tools/RoutingCore -- --urls http://127.0.0.1:7090 --account NAME --secret SECRET [--book FILE]
var configuration = new ConfigurationBuilder().AddCommandLine(args).Build();
if (configuration["account"] is not { Length: > 0 } account || configuration["secret"] is not { Length: >= 32 } secret)
{
    await Console.Error.WriteLineAsync("--account NAME and --secret SECRET (32 characters or more) are needed");
    return 1;
}

await using var server = new CoreServer(
    new CoreOptions { Url = configuration["urls"] ?? "http://127.0.0.1:7090", Account = account, Secret = secret, Book = configuration["book"] }, TimeProvider.System);
await server.Start();
Console.WriteLine($"The routing core listens on {server.Url}");
await server.Stopped();
return 0;
