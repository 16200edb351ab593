using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Core.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Placement;

namespace DeviceHub.Core.Terminals;

/// <summary>
/// One terminal in memory: its record and which session is the current one. Thousands live in one process, so it holds little and
/// has no timer. Logging in, what people do and who looks at it are in the other parts.
/// </summary>
[GrainType("terminal")]
[PreferLocalPlacement]
internal sealed partial class TerminalGrain(
    ITerminalStore store,
    ILastSeen lastSeen,
    IPaymentLedger ledger,
    IChargeStore charges,
    HubKeys keys,
    WalletTable wallets,
    TimeProvider clock,
    IOptions<TerminalOptions> options,
    ILogger<TerminalGrain> logger) : Grain, ITerminalGrain
{
    /// <summary>How often a save may meet another writer before it is a fault.</summary>
    private const int MaxSaves = 8;

    private string serialNumber = "";
    private TerminalRecord? record;

    /// <summary>The highest that was seen; 0 until a session has been. Messages of older ones are dropped.</summary>
    private long sessionEpoch;
    private bool connected;

    /// <summary>The current session's firmware collects charges; of one that was adopted it is not known, and it cannot be reached.</summary>
    private bool collects;

    /// <summary>Null while nobody is connected, and for a session that this activation has adopted from an earlier one.</summary>
    private IGatewayLink? link;
    private string? address;
    private HeartbeatReport? heartbeat;

    /// <summary>Of the heartbeats since the last that was kept for charts, as they add up.</summary>
    private HeartbeatFigures? unsampled;
    private DateTimeOffset sampledAt;
    private DateTimeOffset seenAt;

    /// <summary>Unix milliseconds; grows with every login, so that no two sessions share request ids.</summary>
    private long lastRequestEpoch;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        serialNumber = this.GetPrimaryKeyString();
        await Reload();
    }

    public Task Disconnect(long sessionEpoch)
    {
        if (sessionEpoch == this.sessionEpoch)
        {
            connected = false;
            link = null;
            DelayDeactivation(TimeSpan.Zero);
            Saw(null);
            TellWatchers();
        }

        return Task.CompletedTask;
    }

    public Task<HeartbeatAnswer> Heartbeat(long sessionEpoch, HeartbeatReport report)
    {
        if (!IsCurrent(sessionEpoch) || record is null)
        {
            return Task.FromResult(new HeartbeatAnswer(Stale(), false));
        }

        heartbeat = report;
        Saw(report, Sample(report.Figures));
        TellWatchers();
        var differs = record.DesiredVersion > 0 && (report.ConfigurationVersion != record.DesiredVersion || Drifts());
        return Task.FromResult(new HeartbeatAnswer(null, differs && !Refuses()));
    }

    public Task<Admission> Admit(long sessionEpoch, PaymentRequest request)
    {
        var refusal = Judge(sessionEpoch, request, out var wallet);
        if (refusal is not null)
        {
            TerminalMetrics.Count(TerminalMetrics.NotAdmitted, "code", refusal.Code.ToString());
            return Task.FromResult(new Admission(null, refusal));
        }

        var now = clock.GetUtcNow();
        seenAt = now;
        var order = new PaymentOrder(
            new PaymentId(serialNumber, request.RequestId),
            request,
            wallet,
            record!.MerchantId!,
            record.MerchantName ?? "",
            record.StoreId!,
            now + (request.TimeToLive - request.Age));
        return Task.FromResult(new Admission(order, null));
    }

    public async Task<Refusal?> ConfigurationReported(long sessionEpoch, ConfigurationReport report)
    {
        if (!IsCurrent(sessionEpoch))
        {
            return Stale();
        }

        return await Change(r => r.Reported is { } told && told.Version == report.Version && told.Result == report.Result
            && told.Detail == report.Detail && told.Hash.AsSpan().SequenceEqual(report.Hash)
            ? (null, null)
            : (r with { Reported = report }, null));
    }

    public Task<DesiredConfiguration?> Configuration() => Task.FromResult(Desired());

    public Task PaymentChanged(PaymentView view)
    {
        if (connected)
        {
            link?.PaymentChanged(serialNumber, sessionEpoch, view);
        }

        return Task.CompletedTask;
    }

    public Task<CollectAdmission> MayCollect(long amountFen)
    {
        Refusal? refusal = record switch
        {
            null => new(RefusalCode.NotActive, $"no terminal {serialNumber} is known"),
            { Status: TerminalStatus.Suspended } => Suspended(),
            { Status: not TerminalStatus.Active } => new(RefusalCode.NotActive, "the terminal is not active"),
            { MerchantId: null } or { StoreId: null } => new(RefusalCode.NotBound, "the terminal is bound to no store"),
            _ when amountFen < 1 || amountFen > Limit(record) => new(RefusalCode.Amount, $"1 to {Limit(record)} fen, the terminal's limit"),
            _ when connected && link is not null && !collects => new(RefusalCode.CannotCollect, "the terminal's firmware collects no charges"),
            _ => null,
        };
        return Task.FromResult(new CollectAdmission(record?.MerchantId, record?.StoreId, refusal));
    }

    public Task Collect(CollectCall call)
    {
        if (connected && collects)
        {
            link?.Collect(serialNumber, sessionEpoch, call);
        }

        return Task.CompletedTask;
    }

    public Task CancelCollect(string chargeId)
    {
        if (connected && collects)
        {
            link?.CancelCollect(serialNumber, sessionEpoch, chargeId);
        }

        return Task.CompletedTask;
    }

    public Task<TerminalSnapshot?> Snapshot() => Task.FromResult(record is null
        ? null
        : new TerminalSnapshot(
            record with { Key = null, OfferedKey = null }, connected, seenAt == default ? null : seenAt, address, heartbeat));

    private Refusal? Judge(long epoch, PaymentRequest request, out Wallet wallet)
    {
        wallet = Wallet.None;
        if (!IsCurrent(epoch))
        {
            return Stale();
        }

        if (record is not { Status: TerminalStatus.Active } terminal)
        {
            return record?.Status == TerminalStatus.Suspended ? Suspended() : new Refusal(RefusalCode.NotActive, "the terminal is not active");
        }

        if (terminal.MerchantId is null || terminal.StoreId is null)
        {
            return new Refusal(RefusalCode.NotBound, "the terminal is bound to no store");
        }

        if (!keys.GaveEpoch(serialNumber, request.RequestId))
        {
            return new Refusal(RefusalCode.RequestEpoch, "the request id's epoch was never given to this terminal; use the welcome's");
        }

        var limit = Limit(terminal);
        if (request.AmountFen < 1 || request.AmountFen > limit)
        {
            return new Refusal(RefusalCode.Amount, $"amount_fen must be 1 to {limit}");
        }

        if (request.Currency is not "CNY")
        {
            return new Refusal(RefusalCode.Malformed, "currency must be CNY");
        }

        if (request.OrderNumber is { } number && !IsOrderNumber(number))
        {
            return new Refusal(RefusalCode.Malformed, "order_number must be 1 to 32 of A-Z a-z 0-9 _ -");
        }

        if (request.Age < TimeSpan.Zero || request.Age > request.TimeToLive)
        {
            return new Refusal(RefusalCode.Expired, "the request is older than its time to live");
        }

        wallet = wallets.Of(request.Code.Reveal());
        return wallet == Wallet.None ? new Refusal(RefusalCode.PaymentCode, "the payment code fits no wallet") : null;
    }

    private static bool IsOrderNumber(string number)
    {
        foreach (var c in number)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
            {
                return false;
            }
        }

        return number.Length is >= 1 and <= 32;
    }

    private long Limit(TerminalRecord terminal) => Math.Min(terminal.MaxAmountFen ?? long.MaxValue, options.Value.MaxAmountFen);

    private static Refusal Suspended() => new(RefusalCode.Suspended, "the terminal is suspended; the operator can resume it");

    private static Refusal Stale()
    {
        TerminalMetrics.StaleSessions.Add(1);
        return new Refusal(RefusalCode.StaleSession, "a newer session of this terminal has replaced this one");
    }

    /// <summary>A fresh activation does not know which session is current: it adopts the newest that it hears of.</summary>
    private bool IsCurrent(long epoch)
    {
        if (epoch > sessionEpoch)
        {
            sessionEpoch = epoch;
            connected = true;
            link = null;
        }

        return epoch == sessionEpoch;
    }

    /// <summary>One in a while is kept; the others are in it as far as they add up. Null: this is not the one.</summary>
    private HeartbeatFigures? Sample(HeartbeatFigures? figures)
    {
        if (figures is null)
        {
            return null;
        }

        figures = figures.After(unsampled);
        var now = clock.GetUtcNow();
        if (now - sampledAt < TimeSpan.FromMinutes(options.Value.HeartbeatSampleMinutes))
        {
            unsampled = figures;
            return null;
        }

        (unsampled, sampledAt) = (null, now);
        return figures;
    }

    private void Saw(HeartbeatReport? report, HeartbeatFigures? sample = null)
    {
        seenAt = clock.GetUtcNow();
        lastSeen.Saw(new Sighting(serialNumber, seenAt, address, report, connected, sample));
    }

    private DesiredConfiguration? Desired() => record is { DesiredVersion: > 0, DesiredConfiguration: { } json, DesiredHash: { } hash }
        ? new DesiredConfiguration(record.DesiredVersion, json, hash)
        : null;

    private bool Drifts() => record is { DesiredVersion: > 0 } r
        && (r.Reported is not { Result: ConfigurationResult.Applied } told || told.Version != r.DesiredVersion || !told.Hash.AsSpan().SequenceEqual(r.DesiredHash));

    /// <summary>The terminal has said that it cannot apply this version: pushing it again would change nothing.</summary>
    private bool Refuses() => record is { Reported: { Result: ConfigurationResult.Refused } told } r && told.Version == r.DesiredVersion;

    /// <summary>Changes the row; when another writer was faster, loads it and judges again.</summary>
    /// <param name="deed">Of a person, from the record before and after; null: the terminal's own change.</param>
    private async Task<Refusal?> Change(
        Func<TerminalRecord, (TerminalRecord? Next, Refusal? Refusal)> change, Func<TerminalRecord, TerminalRecord, Deed>? deed = null)
    {
        for (var save = 0; save < MaxSaves; save++)
        {
            if (record is null)
            {
                return new Refusal(RefusalCode.NotActive, $"no terminal {serialNumber} is known");
            }

            var (next, refusal) = change(record);
            if (next is null || refusal is not null)
            {
                return refusal;
            }

            if (await store.Save(next, deed?.Invoke(record, next)))
            {
                Keep(next with { Version = next.Version + 1 });
                TellWatchers();
                return null;
            }

            TerminalMetrics.SavesRepeated.Add(1);
            await Reload();
        }

        return new Refusal(RefusalCode.Busy, $"terminal {serialNumber} is being changed by others; try again", RetryAfter: TimeSpan.FromSeconds(1));
    }

    private async Task Reload() => Keep(await store.Load(serialNumber));

    private void Keep(TerminalRecord? loaded) => record = loaded is null ? null : loaded with
    {
        SerialNumber = serialNumber,
        Model = SharedText.Of(loaded.Model)!,
        MerchantId = SharedText.Of(loaded.MerchantId),
        MerchantName = SharedText.Of(loaded.MerchantName),
        StoreId = SharedText.Of(loaded.StoreId),
        StoreName = SharedText.Of(loaded.StoreName),
    };
}
