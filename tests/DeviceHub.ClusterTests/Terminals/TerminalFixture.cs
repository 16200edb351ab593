using DeviceHub.ClusterTests.Charges;
using DeviceHub.ClusterTests.Payments;
using DeviceHub.Core;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.TestingHost;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>One silo with terminals, payments and sessions; stores in memory, a scripted channel, virtual time.</summary>
public sealed class TerminalFixture : IAsyncLifetime
{
    public TerminalFixture()
        : this(new MemoryTerminals())
    {
    }

    /// <param name="terminals">Rows of an earlier fixture: as after a restart.</param>
    internal TerminalFixture(MemoryTerminals terminals) => Terminals = terminals;

    /// <summary>Who does what people do in these tests.</summary>
    internal static readonly Actor Admin = new("user:admin", null);

    private readonly HubKeys keys = new(new byte[32]);
    private InProcessTestCluster? cluster;
    private MemoryLedger? ledger;
    private int serials;

    internal MemoryCharges Charges { get; } = new();

    internal MemoryLedger Ledger => ledger ??= new() { Charges = Charges };

    internal MemoryTerminals Terminals { get; }

    internal ScriptedChannel Channel { get; } = new();

    internal FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));

    internal SessionOptions SessionOptions => cluster!.Silos[0].ServiceProvider.GetRequiredService<IOptions<SessionOptions>>().Value;

    /// <summary>The next call of this grain method fails as by a timeout: the call never arrives, or only its answer is lost.</summary>
    internal (string Method, bool Arrives)? Loses { get; set; }

    /// <summary>Put around the next call of this grain method.</summary>
    internal (string Method, Func<Func<Task>, Task> Do)? Around { get; set; }

    internal ITerminalSessions Sessions => cluster!.Silos[0].ServiceProvider.GetRequiredService<ITerminalSessions>();

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddOutgoingGrainCallFilter(Lose);
            silo.Services.AddPayments();
            silo.Services.AddCharges();
            silo.Services.AddTerminals();
            silo.Services.AddTerminalSessions();
            foreach (var sweeper in silo.Services.Where(s => s.ServiceType == typeof(IHostedService) && s.ImplementationType?.Name is "PaymentSweeper" or "ChargeSweeper").ToList())
            {
                silo.Services.Remove(sweeper);
            }

            silo.Services.AddSingleton<IChargeStore>(Charges);
            silo.Services.Configure<TerminalOptions>(o => o.Models["bare"] = new ModelOptions { Seals = false, AllowUnsealedInProduction = true });
            silo.Services.AddSingleton<IPaymentLedger>(Ledger);
            silo.Services.AddSingleton<ITerminalStore>(Terminals);
            silo.Services.AddSingleton<ILastSeen>(Terminals);
            silo.Services.AddSingleton<IPaymentChannel>(Channel);
            silo.Services.AddSingleton(keys);
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
            await cluster.DisposeAsync();
        }
    }

    /// <summary>Told once of the next call that one of the silo's grains makes to such a grain.</summary>
    internal (string Interface, Action Do)? WhenCalled { get; set; }

    private async Task Lose(IOutgoingGrainCallContext call)
    {
        if (WhenCalled is { } watch && call.InterfaceName.EndsWith(watch.Interface, StringComparison.Ordinal))
        {
            WhenCalled = null;
            watch.Do();
        }

        if (Around is { } point && point.Method == call.MethodName)
        {
            Around = null;
            await point.Do(call.Invoke);
            return;
        }

        if (Loses is not { } lost || lost.Method != call.MethodName)
        {
            await call.Invoke();
            return;
        }

        Loses = null;
        if (lost.Arrives)
        {
            await call.Invoke();
        }

        throw new TimeoutException($"{lost.Method} was not answered in time");
    }

    /// <summary>The silo's own, as a page has it.</summary>
    internal IGrainFactory Grains => cluster!.Silos[0].ServiceProvider.GetRequiredService<IGrainFactory>();

    internal ITerminalGrain Grain(string serialNumber) => cluster!.Client.GetGrain<ITerminalGrain>(serialNumber);

    internal IPaymentGrain Payment(PaymentId id) => cluster!.Client.GetGrain<IPaymentGrain>(id.ToString());

    internal IChargeGrain Charge(string id) => cluster!.Client.GetGrain<IChargeGrain>(id);

    internal string NewSerial() => $"TERM{Interlocked.Increment(ref serials):0000}";

    internal string NewCode(string model = "", int uses = 1)
    {
        var code = ActivationCodes.Create();
        Terminals.AddCode(keys.ActivationFingerprint(ActivationCodes.Normalise(code)!), new ActivationGrant("M1", "面馆", "S1", "一号店", model), uses);
        return code.Reveal();
    }

    /// <summary>A terminal that has been activated and has logged in.</summary>
    internal async Task<TestTerminal> LoggedIn(string model = "", bool json = false, bool collects = false)
    {
        var terminal = new TestTerminal(this, NewSerial(), json) { Collects = collects };
        await terminal.Activate(NewCode(model));
        await terminal.Prove();
        await terminal.Next(d => d.Synced is not null);
        return terminal;
    }
}
