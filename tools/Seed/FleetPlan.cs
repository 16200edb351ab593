using System.Globalization;
using DeviceHub.Core.Terminals;
using DeviceHub.Storage;

namespace DeviceHub.Tools.Seed;

/// <summary>A terminal as it is to be, with what its payments go by.</summary>
internal sealed class SeedTerminal
{
    public required string SerialNumber { get; init; }
    public required string Model { get; init; }
    public required StoreRow Store { get; init; }
    public required MerchantRow Merchant { get; init; }
    public required TerminalStatus Status { get; init; }
    public required DateTimeOffset RegisteredAt { get; init; }

    /// <summary>Null: it was offered a key and never came back with it.</summary>
    public required DateTimeOffset? ActivatedAt { get; init; }
    public required DateTimeOffset? LastSeen { get; init; }
    public required string Firmware { get; init; }

    /// <summary>How much is paid here, against others.</summary>
    public required double Business { get; init; }

    public int Payments { get; set; }

    public bool Pays(DateTimeOffset at) => Status == TerminalStatus.Active && ActivatedAt <= at && at <= LastSeen;
}

/// <summary>Merchants from one counter to large chains, their stores and their terminals. In memory; nothing is written here.</summary>
internal sealed class FleetPlan
{
    private static readonly (double, string)[] Models =
        [(45, "scan-box"), (25, "counter-pos"), (18, "scanner-gun"), (8, "json-box"), (4, "plain-scanner")];

    private static readonly (double, string)[] Firmwares = [(55, "1.4.2"), (24, "1.4.1"), (11, "1.3.9"), (6, "1.3.2"), (3, "2.0.0-beta.1"), (1, "1.0.4")];

    private static readonly (double, TerminalStatus)[] Statuses =
        [(965, TerminalStatus.Active), (20, TerminalStatus.Suspended), (12, TerminalStatus.Registered), (3, TerminalStatus.Retired)];

    private readonly SeedSetup setup;
    private readonly Dice dice;

    public FleetPlan(SeedSetup setup, Dice dice)
    {
        (this.setup, this.dice) = (setup, dice);
        while (Terminals.Count < setup.Terminals)
        {
            AddMerchant();
        }
    }

    public List<MerchantRow> Merchants { get; } = [];

    public List<StoreRow> Stores { get; } = [];

    public List<SeedTerminal> Terminals { get; } = [];

    private void AddMerchant()
    {
        var (name, english) = Names.Merchant(dice);
        var founded = setup.From - dice.Between(TimeSpan.FromDays(10), TimeSpan.FromDays(500));
        var merchant = new MerchantRow { Id = "m" + dice.Hex(6), Name = name, Created = founded };
        Merchants.Add(merchant);
        var (stores, counters) = dice.Share() switch
        {
            < 0.70 => (1, 4),
            < 0.95 => (2 + dice.Below(11), 4),
            _ => (30 + dice.Below(171), 8),
        };
        for (var number = 1; number <= stores && Terminals.Count < setup.Terminals; number++)
        {
            var store = new StoreRow { Id = "s" + dice.Hex(6), MerchantId = merchant.Id, Name = Names.Store(dice, english, number), Created = founded };
            Stores.Add(store);
            for (var counter = 1 + dice.Below(counters); counter > 0 && Terminals.Count < setup.Terminals; counter--)
            {
                Terminals.Add(Terminal(merchant, store));
            }
        }
    }

    private SeedTerminal Terminal(MerchantRow merchant, StoreRow store)
    {
        // The first is one that works: also the smallest fleet can pay.
        var first = Terminals.Count == 0;
        var model = dice.Of(Models);
        var status = dice.Of(Statuses);
        status = first ? TerminalStatus.Active : status;

        // Most were there before the first payment; some came since.
        var registered = dice.Chance(0.06) && !first
            ? setup.From + ((setup.Until - setup.From) * dice.Share() * 0.95)
            : store.Created + ((setup.From - store.Created) * dice.Share());
        DateTimeOffset? activated = status == TerminalStatus.Registered ? null : registered + dice.Between(TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(30));
        var silent = first ? TimeSpan.FromSeconds(5) : Silent(status);
        DateTimeOffset? seen = activated is null ? null : Later(setup.Until - silent, activated.Value + TimeSpan.FromMinutes(5));
        seen = seen > setup.Until ? setup.Until : seen;
        var prefix = string.Concat(model.Split('-').Select(word => char.ToUpperInvariant(word[0])));
        return new()
        {
            SerialNumber = string.Create(CultureInfo.InvariantCulture, $"{prefix}{setup.Seed:00}{Terminals.Count + 1:0000000}"),
            Model = model,
            Store = store,
            Merchant = merchant,
            Status = status,
            RegisteredAt = registered,
            ActivatedAt = activated,
            LastSeen = seen,
            Firmware = dice.Of(Firmwares),
            Business = 0.1 + Math.Pow(dice.Share(), 4) * 10,
        };
    }

    /// <summary>How long nothing was heard: seconds of most, minutes, days and weeks of some.</summary>
    private TimeSpan Silent(TerminalStatus status) => (status == TerminalStatus.Retired ? 1 : dice.Share()) switch
    {
        < 0.92 => dice.Between(TimeSpan.Zero, TimeSpan.FromMinutes(5)),
        < 0.95 => dice.Between(TimeSpan.FromMinutes(5), TimeSpan.FromHours(3)),
        < 0.985 => dice.Between(TimeSpan.FromHours(3), TimeSpan.FromDays(4)),
        _ => dice.Between(TimeSpan.FromDays(4), TimeSpan.FromDays(60)),
    };

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
