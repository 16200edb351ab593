using System.Collections.Concurrent;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using DeviceHub.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.TestingHost;

namespace DeviceHub.ClusterTests.Payments;

/// <summary>One silo with the payment grain, a ledger in memory, a scripted channel and virtual time.</summary>
/// <param name="sweeps">Whether the sweeper runs; else tests wake payments themselves, and on virtual time it would do it behind their back.</param>
public sealed class PaymentGrainFixture(bool sweeps = false) : IAsyncLifetime
{
    internal static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private InProcessTestCluster? cluster;
    private int ids;

    /// <summary>Calls of grains by grains that have not ended.</summary>
    private int calls;

    internal MemoryLedger Ledger { get; } = new();

    internal ScriptedChannel Channel { get; } = new();

    internal ScriptedRouting Routing { get; } = new();

    internal FakeTimeProvider Clock { get; init; } = new(Start);

    internal PaymentOptions Options { get; } = new();

    /// <summary>What the silo has logged as an error. A test that makes some takes them out; none is left at its end.</summary>
    internal ConcurrentQueue<string> Errors { get; } = new();

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddOutgoingGrainCallFilter(Count);
            silo.Services.AddPayments();
            silo.Services.AddLogging(logging => logging.AddProvider(new ErrorCollector(Errors)));
            var sweeper = silo.Services.Single(s => s.ServiceType == typeof(IHostedService) && s.ImplementationType?.Name == "PaymentSweeper");
            if (!sweeps)
            {
                silo.Services.Remove(sweeper);
            }

            silo.Services.AddSingleton<IPaymentLedger>(Ledger);
            silo.Services.AddSingleton<IPaymentChannel>(Channel);
            silo.Services.AddSingleton<IRoutingCore>(Routing);
            silo.Services.AddSingleton<IChannelAccounts>(Routing);
            silo.Services.AddSingleton(new HubKeys(new byte[32]));
            silo.Services.AddSingleton<TimeProvider>(Clock);
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
        });
        cluster = builder.Build();
        await cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
        {
            // A payment tells its terminal and does not wait: a silo that stops meanwhile takes that for an error.
            await Eventually.Holds(() => Volatile.Read(ref calls) == 0, "grains have called each other");
            await cluster.DisposeAsync();
        }

        Assert.True(Errors.IsEmpty, string.Join("\n", Errors));
    }

    private async Task Count(IOutgoingGrainCallContext call)
    {
        Interlocked.Increment(ref calls);
        try
        {
            await call.Invoke();
        }
        finally
        {
            Interlocked.Decrement(ref calls);
        }
    }

    internal IPaymentGrain Grain(PaymentId id) => cluster!.Client.GetGrain<IPaymentGrain>(id.ToString());

    internal PaymentOrder Order(long amountFen = 1000, string? orderNumber = null, string? serialNumber = null)
    {
        var n = Interlocked.Increment(ref ids);
        var request = new PaymentRequest(
            $"epoch0000001-{n}", amountFen, "CNY", new PaymentCode("134567890123456789"), orderNumber, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        return new PaymentOrder(
            new PaymentId(serialNumber ?? $"SN{n:0000}", request.RequestId), request, Wallet.WeChat, "M1", "Noodle shop", "S1",
            Clock.GetUtcNow().AddSeconds(30));
    }

    /// <summary>Virtual time goes on until the payment has the stage; the grain is woken as the sweeper would.</summary>
    internal async Task<PaymentView> Until(PaymentId id, Func<PaymentView, bool> reached, TimeSpan within)
    {
        var until = Clock.GetUtcNow() + within;
        var step = TimeSpan.FromSeconds(1);
        while (true)
        {
            await Grain(id).Wake();
            var view = (await Grain(id).Find(null)).View!;
            if (reached(view))
            {
                return view;
            }

            Assert.True(Clock.GetUtcNow() < until, $"after {within} payment {id} is {view.Stage}/{view.Result}; channel: {string.Join(' ', Channel.Log)}");
            Clock.Advance(step);
        }
    }
}
