using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Charges;

/// <summary>Wakes every charge that is due and whose grain did not look by itself: after a crash, and when a payment's word to it was lost.</summary>
internal sealed partial class ChargeSweeper(
    IChargeStore store, IGrainFactory grains, TimeProvider clock, IOptions<ChargeOptions> options, IHostApplicationLifetime lifetime, ILogger<ChargeSweeper> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource();
        using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken);
        using var tick = new PeriodicTimer(options.Value.SweepEvery, clock);
        do
        {
            try
            {
                await Sweep();
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogSweepFailed(e);
            }
        }
        while (await tick.WaitForNextTickAsync(stoppingToken));
    }

    private async Task Sweep()
    {
        var due = await store.Due(clock.GetUtcNow(), options.Value.SweepBatch);
        ChargeMetrics.Swept.Add(due.Count);
        foreach (var some in due.Chunk(32))
        {
            await Task.WhenAll(some.Select(Wake));
        }
    }

    /// <summary>One charge that cannot be woken must not keep the others asleep.</summary>
    private async Task Wake(string id)
    {
        try
        {
            await grains.GetGrain<IChargeGrain>(id).Wake();
        }
        catch (Exception e)
        {
            LogNotWoken(e, id);
        }
    }

    [LoggerMessage(EventName = "ChargeNotWoken", Level = LogLevel.Warning, Message = "Charge {Id} is due and could not be woken; it is tried again")]
    private partial void LogNotWoken(Exception e, string id);

    [LoggerMessage(EventName = "ChargeSweepFailed", Level = LogLevel.Warning, Message = "The sweep for due charges failed; it is tried again")]
    private partial void LogSweepFailed(Exception e);
}

/// <summary>Registration of charges in a silo's host.</summary>
public static class ChargeRegistration
{
    public static IServiceCollection AddCharges(this IServiceCollection services)
    {
        services.AddOptionsSection<ChargeOptions>(ChargeOptions.Section);
        services.AddSingleton<IValidateOptions<ChargeOptions>, ChargeOptionsValidator>();
        services.AddHostedService<ChargeSweeper>();
        return services;
    }
}
