using DeviceHub.Server.Hosting;

try
{
    await using var app = HubApplication.Build(args);
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (StartException.Explain(e) is { } explanation)
{
    // A wrong option or a used port is for the operator to read, not a stack trace.
    await Console.Error.WriteLineAsync("DeviceHub cannot start: " + explanation);
    return 1;
}
