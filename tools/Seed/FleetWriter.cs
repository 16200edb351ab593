using System.Globalization;
using System.Security.Cryptography;
using DeviceHub.Core;
using DeviceHub.Core.Configuration;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways;
using DeviceHub.Protocol.Wire;
using DeviceHub.Storage;
using ConfigurationReport = DeviceHub.Core.Terminals.ConfigurationReport;

namespace DeviceHub.Tools.Seed;

/// <summary>Writes a fleet through the hub's own stores.</summary>
internal sealed class FleetWriter(
    SeedSetup setup, FleetPlan plan, Dice dice, HubKeys keys, HubDatabase database, HubWrites writes, ITerminalStore terminals, LastSeenWriter lastSeen, ChannelAccountStore accounts, Deeds deeds)
{
    private const int RowsACommit = 5_000;

    /// <summary>Who was heard within this has a connection: two heartbeats. A hub that starts knows better, and forgets it.</summary>
    private static readonly TimeSpan Connected = TimeSpan.FromMinutes(10);

    private static readonly (string Json, byte[] Hash)[] Documents =
    [
        .. new[]
        {
            """{"screen":{"language":"zh-CN","brightness":80},"sound":{"volume":7}}""",
            """{"screen":{"language":"zh-CN","brightness":60},"sound":{"volume":9},"receipt":{"copies":2}}""",
            """{"screen":{"language":"en","brightness":80},"sound":{"volume":5},"receipt":{"copies":1,"footer":"Thank you"}}""",
        }.Select(json => (json, ConfigurationDocument.TryParse(json, out _)!.Hash)),
    ];

    /// <summary>A code that any number of new terminals can be activated with.</summary>
    public ActivationCode OpenCode { get; } = ActivationCodes.Create();

    /// <summary>Merchants with channel accounts, two each, so that a payment can be rerouted.</summary>
    public Dictionary<string, ChannelAccount[]> Accounts { get; } = [];

    public async Task Write(CancellationToken cancellation)
    {
        if (await writes.Run((db, stop) => Task.FromResult(db.Merchants.Find(plan.Merchants[0].Id) is not null), cancellation))
        {
            throw new SeedException($"the folder was filled with seed {setup.Seed} before; another --seed makes other terminals");
        }

        foreach (var some in plan.Merchants.Chunk(RowsACommit))
        {
            await Add(db => db.Merchants.AddRange(some));
        }

        foreach (var some in plan.Stores.Chunk(RowsACommit))
        {
            await Add(db => db.Stores.AddRange(some));
        }

        await Add(AddAccounts);
        await Add(AddCodes);
        foreach (var some in plan.Terminals.Chunk(RowsACommit))
        {
            cancellation.ThrowIfCancellationRequested();
            database.Writes.Prepare("BEGIN IMMEDIATE").Run();
            foreach (var terminal in some)
            {
                await terminals.Save(Record(terminal));
                if (terminal.LastSeen is { } at)
                {
                    lastSeen.Saw(new Sighting(terminal.SerialNumber, at, Address(), WireMapping.ToDomain(Beat(terminal)), setup.Until - at < Connected));
                }
            }

            database.Writes.Prepare("COMMIT").Run();
            await lastSeen.Flush();
        }
    }

    private Task Add(Action<HubDbContext> add) => writes.Run(async (db, stop) =>
    {
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        add(db);
        await db.SaveChangesAsync(stop);
    });

    private void AddAccounts(HubDbContext db)
    {
        foreach (var merchant in plan.Merchants.Where((_, i) => i % 8 == 0).Take(300))
        {
            Accounts[merchant.Id] = [Account(merchant, "Counter", 10, 38), Account(merchant, "Reserve", 20, 60)];
            foreach (var account in Accounts[merchant.Id])
            {
                accounts.Put(db, account, merchant.Created);
            }
        }
    }

    private ChannelAccount Account(MerchantRow merchant, string name, int priority, int fee) => new()
    {
        Id = ChannelAccount.IdPrefix + dice.Hex(8),
        MerchantId = merchant.Id,
        Channel = "sandbox",
        Terms = new AccountTerms { Name = name, Priority = priority, FeeBasisPoints = fee },
        Version = 1,
    };

    /// <summary>Of some stores, and the terminals that used them.</summary>
    private void AddCodes(HubDbContext db)
    {
        var byStore = plan.Terminals.Where(t => t.Status != TerminalStatus.Registered).ToLookup(t => t.Store.Id);
        var number = 0;
        foreach (var store in plan.Stores.Where((_, i) => i % 8 == 0))
        {
            var used = byStore[store.Id].Take(4).ToList();
            var created = setup.Until - dice.Between(TimeSpan.FromHours(1), TimeSpan.FromDays(40));
            var open = number++ == 0;
            var code = open ? OpenCode : ActivationCodes.Create();
            var row = new ActivationCodeRow
            {
                Id = "ac" + dice.Hex(6),
                Fingerprint = keys.ActivationFingerprint(ActivationCodes.Normalise(code)!),
                Hint = code.Reveal()[^4..],
                StoreId = store.Id,
                Model = used.Count > 0 ? used[0].Model : "scan-box",
                MaxUses = open ? 1000 : used.Count + dice.Below(3) + (used.Count == 0 ? 1 : 0),
                Expires = open ? setup.Until.AddDays(30) : created.AddDays(7 * (1 + dice.Below(5))),
                Revoked = !open && dice.Chance(0.08) ? created.AddHours(2) : null,
                CreatedBy = "user:" + Names.Cashier(dice),
                CreatedAt = open ? setup.Until : created,
            };
            db.ActivationCodes.Add(row);
            deeds.Add(row.CreatedAt, row.CreatedBy, "activation-code.create", "activation-code:" + row.Id, null, $$"""{"storeId":"{{row.StoreId}}","model":"{{row.Model}}","maxUses":{{row.MaxUses}}}""");
            if (row.Revoked is { } revoked)
            {
                deeds.Add(revoked, row.CreatedBy, "activation-code.revoke", "activation-code:" + row.Id, """{"revoked":null}""", $$"""{"revoked":"{{revoked:O}}"}""");
            }

            db.ActivationUses.AddRange(used.Select(t => new ActivationUseRow
            {
                CodeId = row.Id, SerialNumber = t.SerialNumber, ReservedAt = row.CreatedAt.AddMinutes(9), ConsumedAt = row.CreatedAt.AddMinutes(10),
            }));
        }
    }

    private TerminalRecord Record(SeedTerminal terminal)
    {
        var configured = terminal.ActivatedAt is not null && dice.Chance(0.7);
        var document = dice.Of(Documents);
        var version = 1 + dice.Below(6);

        Audit(terminal, configured ? document.Json : null, version);

        // Whoever reads the data folder's seed must not know the keys.
        var key = new SecretBytes(RandomNumberGenerator.GetBytes(32));
        return new()
        {
            SerialNumber = terminal.SerialNumber,
            Status = terminal.Status,
            Model = terminal.Model,
            MerchantId = terminal.Merchant.Id,
            MerchantName = terminal.Merchant.Name,
            StoreId = terminal.Store.Id,
            StoreName = terminal.Store.Name,
            Key = terminal.ActivatedAt is null ? null : key,
            OfferedKey = terminal.ActivatedAt is null ? key : null,
            HardwareId = terminal.ActivatedAt is null ? null : dice.Hex(8),
            MaxAmountFen = dice.Chance(0.03) ? 100_000 : null,
            DesiredConfiguration = configured ? document.Json : null,
            DesiredVersion = configured ? version : 0,
            DesiredHash = configured ? document.Hash : null,
            Reported = configured ? Reported(terminal, version, document.Hash) : null,
            RegisteredAt = terminal.RegisteredAt,
            ActivatedAt = terminal.ActivatedAt,
        };
    }

    /// <summary>What people did to it: its last configuration, and that it is suspended, or was once.</summary>
    private void Audit(SeedTerminal terminal, string? document, int version)
    {
        var (subject, who) = ("terminal:" + terminal.SerialNumber, "user:" + Names.Cashier(dice));
        var since = terminal.ActivatedAt ?? terminal.RegisteredAt;
        var at = since + ((setup.Until - since) * dice.Share());
        if (document is not null)
        {
            var before = version == 1 ? "null" : Documents[0].Json;
            deeds.Add(at, who, ConfigurationVersion.What, subject, $$"""{"version":{{version - 1}},"document":{{before}}}""", $$"""{"version":{{version}},"document":{{document}}}""");
        }

        if (terminal.Status == TerminalStatus.Suspended || dice.Chance(0.02))
        {
            deeds.Add(at, who, "terminal.suspend", subject, """{"status":"active"}""", """{"status":"suspended"}""");
            if (terminal.Status != TerminalStatus.Suspended)
            {
                deeds.Add(at + ((setup.Until - at) / 2), who, "terminal.resume", subject, """{"status":"suspended"}""", """{"status":"active"}""");
            }
        }
    }

    /// <summary>Most have applied what is desired; some have not yet, or cannot.</summary>
    private ConfigurationReport? Reported(SeedTerminal terminal, long version, byte[] hash)
    {
        var at = terminal.ActivatedAt!.Value + ((terminal.LastSeen!.Value - terminal.ActivatedAt.Value) * dice.Share());
        return dice.Share() switch
        {
            < 0.955 => new(version, hash, ConfigurationResult.Applied, null, at),
            < 0.975 => version == 1 ? null : new(version - 1, RandomNumberGenerator.GetBytes(32), ConfigurationResult.Applied, null, at),
            < 0.985 => new(version, hash, ConfigurationResult.HashMismatch, null, at),
            < 0.995 => new(version, hash, ConfigurationResult.Refused, "receipt.copies: this model has no printer", at),
            _ => null,
        };
    }

    private Heartbeat Beat(SeedTerminal terminal) => new()
    {
        UptimeS = (ulong)dice.Below(2_000_000),
        Firmware = terminal.Firmware,
        ConfigurationVersion = (ulong)(1 + dice.Below(6)),
        SignalDbm = -55 - dice.Below(50),
        BatteryPercent = (uint)(20 + dice.Below(81)),
        Power = terminal.Model == "scan-box" ? PowerSource.Battery : PowerSource.Mains,
        ResetReason = BootReason.PowerOn,
        Modem = new() { Imei = "86" + dice.Digits(13), Iccid = "8986" + dice.Digits(16), SimSlot = 1, Bearer = Modem.Types.Bearer.Lte },
    };

    private string Address() => string.Create(CultureInfo.InvariantCulture, $"10.{dice.Below(256)}.{dice.Below(256)}.{1 + dice.Below(254)}:{20_000 + dice.Below(40_000)}");
}
