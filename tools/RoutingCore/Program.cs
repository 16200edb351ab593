using DeviceHub.Tools.RoutingCore;

// dotnet run --project tools/RoutingCore -- --urls http://127.0.0.1:7090 --account NAME --secret SECRET [--book FILE]
var configuration = new ConfigurationBuilder().AddCommandLine(args).Build();
if (configuration["account"] is not { Length: > 0 } account || configuration["secret"] is not { Length: >= 32 } secret)
{
    await Console.Error.WriteLineAsync("--account NAME and --secret SECRET (32 characters or more) are needed");
    return 1;
}

var url = configuration["urls"] ?? "http://127.0.0.1:7090";
if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme != "http" || parsed.PathAndQuery != "/")
{
    await Console.Error.WriteLineAsync($"--urls '{url}' is not http:// with an address and a port");
    return 1;
}

try
{
    await using var server = new CoreServer(new CoreOptions { Url = url, Account = account, Secret = secret, Book = configuration["book"] }, TimeProvider.System);
    await server.Start();
    Console.WriteLine($"The routing core listens on {server.Url}");
    await server.Stopped();
    return 0;
}
catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
