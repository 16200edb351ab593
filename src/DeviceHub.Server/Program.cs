using System.Runtime.InteropServices;
using DeviceHub.Server.Hosting;
using Orleans.Runtime;

// The host hears them only once it has been put together, which takes a second or two; before, they would end the process in the middle of a file.
using var early = new CancellationTokenSource();
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    // The host logs a start that failed with its stack, before it throws; below it is told in a sentence, or with the stack when there is none.
    var started = false;
    await using var app = HubApplication.Build(
        args, builder => builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => level >= LogLevel.Warning && (started || level != LogLevel.Error)));
    var stopping = app.Lifetime.ApplicationStopping;
    try
    {
        await app.StartAsync(early.Token);
        started = true;
        await app.WaitForShutdownAsync();
    }
    catch (Exception e) when ((stopping.IsCancellationRequested || early.IsCancellationRequested) && e is OperationCanceledException or OrleansLifecycleCanceledException)
    {
        await Console.Error.WriteLineAsync("DeviceHub was stopped before it was ready.");
    }
    catch when (!started)
    {
        // What has started already stops in its order, as it does at every stop; else each part complains of the others that are gone.
        await app.StopAsync();
        throw;
    }

    return 0;
}
catch (Exception e) when (StartException.Explain(e) is { } explanation)
{
    // A wrong option or a used port is for the operator to read, not a stack trace.
    await Console.Error.WriteLineAsync("DeviceHub cannot start: " + explanation);
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    early.Cancel();
}
