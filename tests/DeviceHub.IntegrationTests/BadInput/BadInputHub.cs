using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Protocol.Wire;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DeviceHub.IntegrationTests.BadInput;

/// <summary>The whole hub in this process, on real sockets and files, with the Sandbox at short waits. An unexpected error log fails it.</summary>
public sealed class BadInputHub : IAsyncLifetime
{
    public const string Collection = "bad input";

    /// <summary>A model that does not seal.</summary>
    public const string Unsealed = "plain-scanner";

    /// <summary>The Sandbox asks for a password and is paid after a while.</summary>
    public const ulong AsksForPassword = 1010;

    internal const int MaxWrongCodes = 3;

    private static readonly Actor Admin = new("user:admin", null);
    private static int serials;

    private readonly string folder = Directory.CreateTempSubdirectory("hub-").FullName;
    private readonly ConcurrentDictionary<string, long> counters = new();
    private readonly ConcurrentQueue<string> errors = new();
    private readonly MeterListener meters = new();
    private readonly string[] more;
    private WebApplication? app;
    private TestTerminal? bystander;

    public BadInputHub()
        : this([])
    {
    }

    /// <param name="more">More options, as <c>--Section:Name=value</c>.</param>
    internal BadInputHub(string[] more) => this.more = more;

    internal int MqttPort => app!.Services.GetRequiredService<MqttAddresses>().Plain!.Port;

    public async ValueTask InitializeAsync()
    {
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith("DeviceHub.", StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            Count(instrument.Name, value);
            foreach (var tag in tags)
            {
                Count($"{instrument.Name} {tag.Value}", value);
            }
        });
        meters.Start();
        app = HubApplication.Build(
        [
            $"--Server:DataFolder={folder}", "--Server:Urls=http://127.0.0.1:0",
            "--Mqtt:Port=0", "--Mqtt:TlsPort=-1", "--Mqtt:ConnectBurst=1000", $"--Session:MaxWrongCodes={MaxWrongCodes}", "--Mqtt:MaxConnectionsNotLoggedInPerAddress=1000",
            $"--Terminals:Models:{Unsealed}:Seals=false", $"--Terminals:Models:{Unsealed}:AllowUnsealedInProduction=true",
            $"--Sandbox:Book={Path.Combine(folder, "sandbox.book")}", "--Sandbox:PasswordAfter=00:00:03", .. more,
        ],
        builder => builder.Logging.AddProvider(new ErrorCollector(errors)));
        await app.StartAsync();
        await Writes.Run(async (db, stop) =>
        {
            db.Merchants.Add(new MerchantRow { Id = "M1", Name = "Noodle shop", Created = DateTimeOffset.UnixEpoch });
            db.Stores.Add(new StoreRow { Id = "S1", MerchantId = "M1", Name = "Main street", Created = DateTimeOffset.UnixEpoch });
            await db.SaveChangesAsync(stop);
        });
        bystander = await LoggedIn();
    }

    public async ValueTask DisposeAsync()
    {
        await bystander!.DisposeAsync();
        await app!.StopAsync();
        await app.DisposeAsync();
        meters.Dispose();
        Directory.Delete(folder, recursive: true);
        Assert.Empty(errors);
    }

    internal static string NewSerial() => $"BAD-{Interlocked.Increment(ref serials):00000}";

    internal async Task<string> NewActivationCode(string model = "sealing", bool expired = false, bool revoked = false, int uses = 1)
    {
        var code = ActivationCodes.Create();
        var keys = app!.Services.GetRequiredService<HubKeys>();
        var now = TimeProvider.System.GetUtcNow();
        await Writes.Run(async (db, stop) =>
        {
            db.ActivationCodes.Add(new ActivationCodeRow
            {
                Id = Guid.NewGuid().ToString("N"),
                Fingerprint = keys.ActivationFingerprint(ActivationCodes.Normalise(code)!),
                Hint = "test",
                StoreId = "S1",
                Model = model,
                MaxUses = uses,
                Expires = expired ? now.AddHours(-1) : now.AddHours(1),
                Revoked = revoked ? now : null,
                CreatedBy = "test",
                CreatedAt = now,
            });
            await db.SaveChangesAsync(stop);
        });
        return code.Reveal();
    }

    /// <summary>A terminal with a key that was never logged in.</summary>
    internal async Task<TestTerminal> Activated(string model = "sealing")
    {
        await using var activating = new TestTerminal(NewSerial(), MqttPort);
        var key = await activating.Activate(await NewActivationCode(model));
        return new TestTerminal(activating.SerialNumber, MqttPort) { Key = key };
    }

    internal async Task<TestTerminal> LoggedIn(string model = "sealing", bool json = false)
    {
        var terminal = await Activated(model);
        terminal.Json = json;
        await terminal.Login();
        return terminal;
    }

    /// <summary>The same terminal after a power cut: same key and hardware, no memory.</summary>
    internal TestTerminal Rebooted(TestTerminal terminal) => new(terminal.SerialNumber, MqttPort) { Key = terminal.Key, Json = terminal.Json };

    internal Task SetMaxAmount(TestTerminal terminal, long fen) => Grains.GetGrain<ITerminalGrain>(terminal.SerialNumber).SetMaxAmount(fen, Admin);

    internal Task Suspend(TestTerminal terminal) => Grains.GetGrain<ITerminalGrain>(terminal.SerialNumber).Suspend(Admin);

    /// <summary>A counter as it stands now; <see cref="Watched.Grew"/> tells whether it has grown.</summary>
    /// <param name="tag">The value of any of its tags; null: the sum over all.</param>
    internal Watched Watch(string counter, string? tag = null)
    {
        var name = tag is null ? counter : $"{counter} {tag}";
        return new Watched(name, () => Task.FromResult((double)counters.GetValueOrDefault(name)), counters.GetValueOrDefault(name));
    }

    /// <summary>The counter of refusals that terminals were told, by their code.</summary>
    internal Watched WatchRefusals(RefusalCode code) => Watch("session.refusals", code.ToString());

    /// <summary>The net fen that the Sandbox's own book has taken for this terminal's payments, by their order numbers in the ledger.</summary>
    internal async Task<long> Charged(TestTerminal terminal)
    {
        var orders = new HashSet<string>(StringComparer.Ordinal);
        var rows = await app!.Services.GetRequiredService<HubReads>().Run((db, _) => Task.FromResult(
            db.Set<ChannelOrderRow>().Where(o => o.Sn == terminal.SerialNumber).Select(o => o.Number).ToList()));
        orders.UnionWith(rows);
        return app.Services.GetRequiredService<SandboxBank>().Charges().Where(c => orders.Contains(c.Order)).Sum(c => c.NetFen);
    }

    internal async Task<bool> IsUnsettled(TestTerminal terminal) =>
        (await app!.Services.GetRequiredService<IPaymentLedger>().Unsettled(terminal.SerialNumber, DateTimeOffset.UnixEpoch, 1)).Count > 0;

    /// <summary>A terminal that was there all the time is still served.</summary>
    internal async Task ServesOthers()
    {
        var request = bystander!.Request((ulong)(3000 + (Interlocked.Increment(ref serials) * 100)));
        var outcome = await bystander.PayForOutcome(request);
        Assert.Equal(Outcome.Types.Result.Approved, outcome.Result);
        await bystander.Shown(outcome);
    }

    private void Count(string name, long value) => counters.AddOrUpdate(name, value, (_, sum) => sum + value);

    private IGrainFactory Grains => app!.Services.GetRequiredService<IGrainFactory>();

    private HubWrites Writes => app!.Services.GetRequiredService<HubWrites>();
}

[CollectionDefinition(BadInputHub.Collection)]
public sealed class BadInputGroup : ICollectionFixture<BadInputHub>;
