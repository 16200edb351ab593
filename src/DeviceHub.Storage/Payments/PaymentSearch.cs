using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>
/// Searches the projected payments. Each search walks one index, newest first, and stops when its page is full; which index is said here
/// and not left to SQLite, which does not know how many rows a value has.
/// </summary>
internal sealed class PaymentSearch(HubReads reads, LedgerKeys keys, IOptions<TerminalOptions> terminals, TimeProvider clock) : IPaymentSearch
{
    /// <summary>Payments that one number may have: tries under one order number.</summary>
    private const int MaxOfNumber = 500;

    /// <summary>So few rows are looked at one by one whatever else is asked for.</summary>
    private const int Few = 20_000;

    /// <summary>Where counting for a choice between indexes ends.</summary>
    private const int Many = 200_000;

    public Task<PaymentsFound> Find(PaymentFilter filter, PaymentSlice slice, CancellationToken stop) => reads.Search(
        async (db, cancel) =>
        {
            // First: 0 then says that the list shows all that was in the ledger when it was asked for.
            var behind = await db.PaymentsBehind(cancel);
            var (found, readAs) = await Matching(db, filter, cancel);
            if (found is null)
            {
                return new PaymentsFound([], false, behind, readAs);
            }

            if (slice.OlderThan is var (at, seq))
            {
                found = found.Where(p => p.AcceptedAt <= at && (p.AcceptedAt < at || p.Seq < seq));
            }

            var rows = await found.OrderByDescending(p => p.AcceptedAt).ThenByDescending(p => p.Seq).Skip(slice.Skip).Take(slice.Limit + 1).ToListAsync(cancel);
            var more = rows.Count > slice.Limit;
            return new PaymentsFound(await Named(db, more ? rows[..slice.Limit] : rows, cancel), more, behind, readAs);
        },
        stop);

    public Task<int> Count(PaymentFilter filter, PaymentPosition? newerThan, int atMost, CancellationToken stop) => reads.Search(
        async (db, cancel) =>
        {
            // The time bounds the walk, so it is part of what an index is chosen for.
            var (found, _) = await Matching(db, newerThan is { } above && !(filter.From > above.AcceptedAt) ? filter with { From = above.AcceptedAt } : filter, cancel);
            if (found is null)
            {
                return 0;
            }

            if (newerThan is var (at, seq))
            {
                found = found.Where(p => p.AcceptedAt > at || p.Seq > seq);
            }

            return await found.Select(p => p.Seq).Take(atMost).CountAsync(cancel);
        },
        stop);

    public Task<IReadOnlyList<PaymentSummary>> Read(IReadOnlyCollection<long> seqs, CancellationToken stop) => reads.Search(
        async (db, cancel) => await Named(db, await db.Payments.Where(p => seqs.Contains(p.Seq)).ToListAsync(cancel), cancel), stop);

    /// <summary>Null: nothing can match.</summary>
    private async Task<(IQueryable<PaymentRow>? Rows, PaymentWordKind ReadAs)> Matching(HubDbContext db, PaymentFilter filter, CancellationToken stop)
    {
        var readAs = PaymentWordKind.None;
        List<long>? seqs = null;
        string? lastFour = null;
        if (PaymentWord.Parse(filter.Text) is { } word)
        {
            (seqs, readAs) = await Named(db, word, stop);
            lastFour = word.LastFour;
            switch (readAs)
            {
                case PaymentWordKind.Amount:
                    filter = filter with { MinFen = Math.Max(word.AmountFen!.Value, filter.MinFen ?? 0), MaxFen = Math.Min(word.AmountFen.Value, filter.MaxFen ?? long.MaxValue) };
                    break;
                case PaymentWordKind.Terminal when filter.SerialNumber is null || filter.SerialNumber == word.Number:
                    filter = filter with { SerialNumber = word.Number };
                    break;
                case PaymentWordKind.None or PaymentWordKind.Terminal:
                    return (null, readAs);
            }
        }
        else if (!string.IsNullOrWhiteSpace(filter.Text))
        {
            return (null, readAs);
        }

        if (filter.ChannelOrderNumber is { } number)
        {
            var one = await OfChannelOrder(db, number, stop);
            seqs = seqs is null ? one : [.. seqs.Intersect(one)];
        }

        if (filter.OrderNumber is { } order)
        {
            var some = await OfOrder(db, order).ToListAsync(stop);
            seqs = seqs is null ? some : [.. seqs.Intersect(some)];
        }

        if (seqs is not null && lastFour is null)
        {
            return (seqs.Count == 0 ? null : Where(db.Payments.Where(p => seqs.Contains(p.Seq)), filter), readAs);
        }

        var rows = await Along(db, filter, lastFour is not null, stop);
        if (lastFour is not null)
        {
            seqs ??= [];
            rows = rows.Where(p => p.CodeLastFour == lastFour || seqs.Contains(p.Seq));
        }

        return (Where(rows, filter), readAs);
    }

    /// <summary>What a word is by the data: the payments that have it as a number, or what else it is taken for.</summary>
    private async Task<(List<long>? Seqs, PaymentWordKind ReadAs)> Named(HubDbContext db, PaymentWord word, CancellationToken stop)
    {
        if (word.Payment is { } id)
        {
            return (await OfIds(db, id.RequestId, [id.SerialNumber], stop), PaymentWordKind.Payment);
        }

        if (word.Number is not { } number)
        {
            return (null, PaymentWordKind.Amount);
        }

        if (word.ChannelOrderNumber is { } refunded && await OfChannelOrder(db, refunded, stop) is { Count: > 0 } refund)
        {
            return (refund, PaymentWordKind.RefundNumber);
        }

        var orders = await OfOrder(db, number).ToListAsync(stop);
        var channels = await OfChannelOrder(db, number, stop);
        channels.AddRange(await db.Payments.Where(p => p.ChannelTransaction == number).OrderByDescending(p => p.Seq).Take(MaxOfNumber).Select(p => p.Seq).ToListAsync(stop));
        if (orders.Count + channels.Count > 0)
        {
            return ([.. orders.Union(channels)], orders.Count > 0 ? PaymentWordKind.OrderNumber : PaymentWordKind.ChannelNumber);
        }

        if (word.IsRequestId && await OfRequest(db, number, stop) is { Count: > 0 } requests)
        {
            return (requests, PaymentWordKind.RequestId);
        }

        return word switch
        {
            _ when await db.Payments.AnyAsync(p => p.SerialNumber == number, stop) => (null, PaymentWordKind.Terminal),
            { LastFour: not null } => (null, PaymentWordKind.LastFour),
            _ => (null, PaymentWordKind.None),
        };
    }

    private static IQueryable<long> OfOrder(HubDbContext db, string number) =>
        db.Payments.Where(p => p.OrderNumber == number).OrderByDescending(p => p.Seq).Take(MaxOfNumber).Select(p => p.Seq);

    /// <summary>By the terminals whose sessions had the epoch that it begins with: one, but for ids that nobody made by the rules.</summary>
    private async Task<List<long>> OfRequest(HubDbContext db, string requestId, CancellationToken stop)
    {
        var terminals = await db.Database
            .SqlQuery<string>($"SELECT serial_number AS Value FROM request_epoch WHERE epoch = {HubKeys.EpochOf(requestId)} LIMIT {MaxOfNumber}").ToListAsync(stop);
        return await OfIds(db, requestId, terminals, stop);
    }

    /// <summary>By the ledger's own keys: every attempt's number finds its payment.</summary>
    private async Task<List<long>> OfChannelOrder(HubDbContext db, string number, CancellationToken stop)
    {
        var row = await db.Set<ChannelOrderRow>().SingleOrDefaultAsync(o => o.Number == number, stop);
        return row is null ? [] : await OfIds(db, row.RequestId, [row.Sn], stop);
    }

    private async Task<List<long>> OfIds(HubDbContext db, string requestId, List<string> serialNumbers, CancellationToken stop) =>
        [.. await keys.Find(db, requestId, serialNumbers, stop)];

    /// <summary>The rows by the index that has the fewest of them, or by the one of time, whose entries say most of what is asked for.</summary>
    /// <param name="narrow">More is asked for that the entries by time say, and that few payments have.</param>
    private static async Task<IQueryable<PaymentRow>> Along(HubDbContext db, PaymentFilter filter, bool narrow, CancellationToken stop)
    {
        if (filter.NeedsAttention == true)
        {
            return db.Payments.FromSqlRaw("SELECT * FROM payment INDEXED BY IX_payment_needs_attention").Where(p => p.NeedsAttention);
        }

        if (filter.OutcomeNotShown == true)
        {
            return db.Payments.FromSqlRaw("SELECT * FROM payment INDEXED BY IX_payment_not_shown WHERE " + SqlText.NotShown);
        }

        if (filter.Status is PaymentStatus.PartlyRefunded or PaymentStatus.Refunded)
        {
            return db.Payments.FromSqlRaw("SELECT * FROM payment INDEXED BY IX_payment_refunded").Where(p => p.RefundedFen > 0 || p.Result == PaymentResult.Refunded);
        }

        var byTime = db.Payments.FromSqlRaw("SELECT * FROM payment INDEXED BY IX_payment_time");
        IQueryable<PaymentRow>?[] all = [ByPlace(db, filter), ByResult(db, filter)];
        var ways = all.OfType<IQueryable<PaymentRow>>().ToList();
        narrow |= filter is not { MinFen: null, MaxFen: null, Wallet: null, Channel: null };
        if (ways.Count == 0 || (ways.Count == 1 && !narrow))
        {
            return ways.Count == 0 ? byTime : ways[0];
        }

        var (best, fewest) = (byTime, narrow ? Few : Many);
        foreach (var way in ways)
        {
            var rows = await Within(way, filter).Select(p => p.Seq).Take(fewest).CountAsync(stop);
            (best, fewest) = rows < fewest ? (way, rows) : (best, fewest);
        }

        return ReferenceEquals(best, byTime) && !narrow ? ways[0] : best;
    }

    private static IQueryable<PaymentRow>? ByPlace(HubDbContext db, PaymentFilter filter) => filter switch
    {
        { SerialNumber: { } sn } => db.Payments.FromSqlRaw("SELECT * FROM payment INDEXED BY IX_payment_serial_number_accepted_at").Where(p => p.SerialNumber == sn),
        { StoreId: { } store } => db.Payments.FromSqlRaw("SELECT * FROM payment INDEXED BY IX_payment_store_id_accepted_at").Where(p => p.StoreId == store),
        { MerchantId: { } merchant } => db.Payments.FromSqlRaw("SELECT * FROM payment INDEXED BY IX_payment_merchant_id_accepted_at").Where(p => p.MerchantId == merchant),
        _ => null,
    };

    private static IQueryable<PaymentRow>? ByResult(HubDbContext db, PaymentFilter filter) =>
        ResultOf(filter) is { } result ? db.Payments.FromSqlRaw("SELECT * FROM payment INDEXED BY IX_payment_result_accepted_at").Where(p => p.Result == result) : null;

    /// <summary>What is not final has none, and is rare.</summary>
    private static PaymentResult? ResultOf(PaymentFilter filter) => filter.Result ?? filter.Status switch
    {
        null => filter.Stage is null or PaymentStage.Final ? null : PaymentResult.None,
        PaymentStatus.Approved => PaymentResult.Approved,
        PaymentStatus.Declined => PaymentResult.Declined,
        PaymentStatus.NotCharged => PaymentResult.NotCharged,
        _ => PaymentResult.None,
    };

    private static IQueryable<PaymentRow> Within(IQueryable<PaymentRow> rows, PaymentFilter filter)
    {
        rows = filter.From is { } from ? rows.Where(p => p.AcceptedAt >= from) : rows;
        return filter.To is { } to ? rows.Where(p => p.AcceptedAt < to) : rows;
    }

    private IQueryable<PaymentRow> Where(IQueryable<PaymentRow> rows, PaymentFilter filter)
    {
        rows = Within(rows, filter);
        rows = filter.SerialNumber is { } sn ? rows.Where(p => p.SerialNumber == sn) : rows;
        rows = filter.StoreId is { } store ? rows.Where(p => p.StoreId == store) : rows;
        rows = filter.MerchantId is { } merchant ? rows.Where(p => p.MerchantId == merchant) : rows;
        rows = filter.MinFen is { } min ? rows.Where(p => p.AmountFen >= min) : rows;
        rows = filter.MaxFen is { } max ? rows.Where(p => p.AmountFen <= max) : rows;
        rows = filter.Wallet is { } wallet ? rows.Where(p => p.Wallet == wallet) : rows;
        rows = filter.Channel is { } channel ? rows.Where(p => p.Channel == channel) : rows;
        rows = filter.Stage is { } stage ? rows.Where(p => p.Stage == stage) : rows;
        rows = filter.Result is { } result ? rows.Where(p => p.Result == result) : rows;
        rows = filter.NeedsAttention is { } needs ? rows.Where(p => p.NeedsAttention == needs) : rows;
        if (filter.OutcomeNotShown is { } notShown)
        {
            var toldBefore = clock.GetUtcNow() - TimeSpan.FromSeconds(terminals.Value.ShownWithinSeconds);
            rows = rows.Where(p => (p.Revision > p.ShownRevision && p.FinalAt <= toldBefore && !EF.Functions.Glob(p.RequestId, PaymentId.TestPrefix + "*")) == notShown);
        }

        rows = filter.IsTest is { } test ? rows.Where(p => EF.Functions.Glob(p.RequestId, PaymentId.TestPrefix + "*") == test) : rows;
        return filter.Status switch
        {
            null => rows,
            PaymentStatus.Working => rows.Where(p => p.Stage == PaymentStage.Working),
            PaymentStatus.AwaitingCustomer => rows.Where(p => p.Stage == PaymentStage.AwaitingCustomer),
            PaymentStatus.Cancelling => rows.Where(p => p.Stage == PaymentStage.Cancelling),
            PaymentStatus.InDoubt => rows.Where(p => p.Stage == PaymentStage.InDoubt),
            PaymentStatus.Approved => rows.Where(p => p.Result == PaymentResult.Approved && p.RefundedFen == 0),
            PaymentStatus.PartlyRefunded => rows.Where(p => p.Result == PaymentResult.Approved && p.RefundedFen > 0 && p.RefundedFen < p.AmountFen),
            PaymentStatus.Refunded => rows.Where(p => p.Result == PaymentResult.Refunded || p.RefundedFen >= p.AmountFen),
            PaymentStatus.Declined => rows.Where(p => p.Result == PaymentResult.Declined),
            _ => rows.Where(p => p.Result == PaymentResult.NotCharged),
        };
    }

    private static async Task<IReadOnlyList<PaymentSummary>> Named(HubDbContext db, List<PaymentRow> rows, CancellationToken stop)
    {
        string[] merchantIds = [.. rows.Select(r => r.MerchantId).Distinct()], storeIds = [.. rows.Select(r => r.StoreId).Distinct()];
        var merchants = rows.Count == 0 ? [] : await db.Merchants.Where(m => merchantIds.Contains(m.Id)).ToDictionaryAsync(m => m.Id, m => m.Name, stop);
        var stores = rows.Count == 0 ? [] : await db.Stores.Where(s => storeIds.Contains(s.Id)).ToDictionaryAsync(s => s.Id, s => s.Name, stop);
        return
        [
            .. rows.Select(row => new PaymentSummary(
                new PaymentId(row.SerialNumber, row.RequestId), new PaymentPosition(row.AcceptedAt, row.Seq), row.MerchantId, merchants.GetValueOrDefault(row.MerchantId),
                row.StoreId, stores.GetValueOrDefault(row.StoreId), row.AmountFen, row.PaidFen, row.DiscountFen, row.RefundedFen, row.Wallet, row.CodeLastFour, row.OrderNumber, row.Stage, row.Result,
                row.Reason, row.Revision, row.ShownRevision, row.FinalAt, row.Attempts, row.Channel, row.ChannelAccount, row.ChannelOrderNumber, row.ChannelTransaction, row.Payer, row.NeedsAttention)),
        ];
    }
}
