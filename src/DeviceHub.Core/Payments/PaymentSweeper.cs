using System.Collections.Frozen;
using DeviceHub.Core.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Payments;

/// <summary>The channels by their names.</summary>
public sealed class PaymentChannels(IEnumerable<IPaymentChannel> channels)
{
    private readonly FrozenDictionary<string, IPaymentChannel> byName = channels.ToFrozenDictionary(c => c.Name);

    /// <summary>By name.</summary>
    public IReadOnlyList<IPaymentChannel> All => [.. byName.Values.OrderBy(c => c.Name, StringComparer.Ordinal)];

    /// <summary>Null: there is no such channel.</summary>
    public IPaymentChannel? TryFind(string name) => byName.GetValueOrDefault(name);

    public IPaymentChannel Find(string name) => byName.TryGetValue(name, out var channel)
        ? channel
        : throw new InvalidOperationException($"no payment channel is named '{name}'; there are: {string.Join(", ", byName.Keys)}");
}

/// <summary>Counts the calls to channels that run in this process, so that a stop can wait for them; and says when it waits no more.</summary>
public sealed class PaymentEffects : IDisposable
{
    private readonly CancellationTokenSource parked = new();
    private TaskCompletionSource? idle;
    private int running;

    /// <summary>The token is taken once: whoever still writes an answer when all has stopped may ask it.</summary>
    public PaymentEffects() => Parked = parked.Token;

    public int Running => Volatile.Read(ref running);

    /// <summary>Completed as soon as none runs. Asked once, at the stop.</summary>
    internal Task Idle()
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref idle, waiting);
        if (Running == 0)
        {
            waiting.TrySetResult();
        }

        return waiting.Task;
    }

    /// <summary>Cancelled at a stop when its deadline is over: the silo would wait for whoever waits for an outcome.</summary>
    internal CancellationToken Parked { get; }

    internal void Park() => parked.Cancel();

    public void Dispose() => parked.Dispose();

    internal Scope Begin()
    {
        Interlocked.Increment(ref running);
        return new Scope(this);
    }

    internal readonly struct Scope(PaymentEffects effects) : IDisposable
    {
        public void Dispose()
        {
            if (Interlocked.Decrement(ref effects.running) == 0)
            {
                effects.idle?.TrySetResult();
            }
        }
    }
}

/// <summary>
/// Wakes every payment whose next step is due and whose grain did not do it by itself: after a crash, or when its terminal never came
/// back. At start it wakes those that are not settled, up to a batch, whatever their due time says.
/// </summary>
internal sealed partial class PaymentSweeper(
    IPaymentLedger ledger,
    PaymentChannels channels,
    IGrainFactory grains,
    TimeProvider clock,
    PaymentEffects effects,
    IOptions<PaymentOptions> options,
    IOptions<RoutingOptions> routing,
    IHostApplicationLifetime lifetime,
    ILogger<PaymentSweeper> logger) : BackgroundService
{
    private readonly PaymentOptions options = options.Value;

    /// <summary>A channel that is not there would leave every payment in doubt, and times for one are a typing mistake; the hub does not start with it.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (routing.Value.DefaultChannel is { Length: > 0 } name && channels.TryFind(name) is null)
        {
            throw new OptionsValidationException(
                RoutingOptions.Section,
                typeof(RoutingOptions),
                [$"Routing:DefaultChannel must be one of {string.Join(", ", channels.All.Select(c => c.Name))}, or empty; it is '{name}'"]);
        }

        if (options.Channels.Keys.FirstOrDefault(channel => channels.TryFind(channel) is null) is { } unknown)
        {
            throw new OptionsValidationException(
                PaymentOptions.Section,
                typeof(PaymentOptions),
                [$"Payments:Channels:{unknown} is no channel of the hub; there are: {string.Join(", ", channels.All.Select(c => c.Name))}"]);
        }

        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource();
        using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken);
        var horizon = clock.GetUtcNow() + options.GiveUpAfter;
        using var tick = new PeriodicTimer(options.SweepEvery, clock);
        do
        {
            try
            {
                await Sweep(horizon);
                horizon = default;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogSweepFailed(e);
            }
        }
        while (await tick.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Stopped after the gateways and before the silo: what runs may still write its answer.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await effects.Idle().WaitAsync(options.StopDeadline, clock, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            LogParked(effects.Running);
        }

        effects.Park();
    }

    private async Task Sweep(DateTimeOffset horizon)
    {
        var due = await ledger.Due(horizon == default ? clock.GetUtcNow() - options.SweepGrace : horizon, options.SweepBatch);
        foreach (var some in due.Chunk(32))
        {
            await Task.WhenAll(some.Select(Wake));
        }

        PaymentMetrics.Swept.Add(due.Count);
        if (due.Count > 0)
        {
            LogSwept(due.Count);
        }
    }

    /// <summary>One payment that cannot be woken must not keep the others asleep.</summary>
    private async Task Wake(PaymentId id)
    {
        try
        {
            await grains.GetGrain<IPaymentGrain>(id.ToString()).Wake();
        }
        catch (Exception e)
        {
            LogNotWoken(e, id);
        }
    }

    [LoggerMessage(EventName = "PaymentNotWoken", Level = LogLevel.Warning, Message = "Payment {Id} is due and could not be woken; it is tried again")]
    private partial void LogNotWoken(Exception e, PaymentId id);

    [LoggerMessage(EventName = "PaymentsSwept", Level = LogLevel.Information, Message = "{Count} payments were due and have been woken")]
    private partial void LogSwept(int count);

    [LoggerMessage(EventName = "PaymentsParked", Level = LogLevel.Information, Message = "{Count} calls to channels still run at the stop; their payments are taken up at the next start")]
    private partial void LogParked(int count);

    [LoggerMessage(EventName = "SweepFailed", Level = LogLevel.Warning, Message = "The sweep for due payments failed; it is tried again")]
    private partial void LogSweepFailed(Exception e);
}

/// <summary>Registration of payments in a silo's host.</summary>
public static class PaymentRegistration
{
    public static IServiceCollection AddPayments(this IServiceCollection services)
    {
        services.AddOptionsSection<PaymentOptions>(PaymentOptions.Section);
        services.AddSingleton<IValidateOptions<PaymentOptions>, PaymentOptionsValidator>();
        services.AddSingleton<PaymentChannels>();
        services.AddSingleton<PaymentEffects>();
        services.AddSingleton<PaymentDesk>();
        services.AddRouting();
        services.AddSingleton<TestPayments>();
        services.AddHostedService<PaymentSweeper>();
        return services;
    }
}
