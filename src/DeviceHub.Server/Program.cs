using DeviceHub.Server.Hosting;
using Orleans.Runtime;

try
{
    await using var app = HubApplication.Build(args);
    var stopping = app.Lifetime.ApplicationStopping;
    try
    {
        await app.RunAsync();
    }
    catch (Exception e) when (stopping.IsCancellationRequested && e is OperationCanceledException or OrleansLifecycleCanceledException)
    {
        await Console.Error.WriteLineAsync("DeviceHub was stopped before it was ready.");
    }

    return 0;
}
catch (Exception e) when (StartException.Explain(e) is { } explanation)
{
    // A wrong option or a used port is for the operator to read, not a stack trace.
    await Console.Error.WriteLineAsync("DeviceHub cannot start: " + explanation);
    return 1;
}
