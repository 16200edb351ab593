using DeviceHub.Core.Payments;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

/// <summary>What a list of payments is narrowed to; null: anything.</summary>
/// <param name="To">Exclusive.</param>
/// <param name="Result">None: those that are not final.</param>
public sealed record PaymentFilter(
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    string? SerialNumber = null,
    string? MerchantId = null,
    string? StoreId = null,
    PaymentResult? Result = null,
    string? OrderNumber = null,
    string? ChannelOrderNumber = null);

/// <summary>Where a page of payments ended; the next begins behind it.</summary>
public sealed record PaymentPosition(DateTimeOffset AcceptedAt, long Seq);

/// <param name="Next">Null: this was the last page.</param>
/// <param name="Lag">Ledger rows that the list does not show yet.</param>
public sealed record PaymentPage(IReadOnlyList<PaymentRow> Payments, PaymentPosition? Next, long Lag);

/// <summary>Lists of payments, newest first.</summary>
public sealed class PaymentQueries
{
    private readonly HubReads reads;
    private readonly PaymentProjection projection;

    internal PaymentQueries(HubReads reads, PaymentProjection projection) => (this.reads, this.projection) = (reads, projection);

    /// <param name="limit">1 to 200.</param>
    public Task<PaymentPage> List(PaymentFilter filter, PaymentPosition? after, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 200);
        return reads.Run(
            async (db, token) =>
            {
                var rows = await Narrow(db, filter, after)
                    .OrderByDescending(p => p.AcceptedAt).ThenByDescending(p => p.Seq).Take(limit + 1).ToListAsync(token);
                var more = rows.Count > limit;
                if (more)
                {
                    rows.RemoveAt(limit);
                }

                return new PaymentPage(rows, more ? new PaymentPosition(rows[^1].AcceptedAt, rows[^1].Seq) : null, projection.Lag);
            },
            cancellationToken);
    }

    private static IQueryable<PaymentRow> Narrow(HubDbContext db, PaymentFilter filter, PaymentPosition? after)
    {
        var rows = db.Payments.AsQueryable();
        rows = filter.From is { } from ? rows.Where(p => p.AcceptedAt >= from) : rows;
        rows = filter.To is { } to ? rows.Where(p => p.AcceptedAt < to) : rows;
        rows = filter.SerialNumber is { } sn ? rows.Where(p => p.SerialNumber == sn) : rows;
        rows = filter.MerchantId is { } merchant ? rows.Where(p => p.MerchantId == merchant) : rows;
        rows = filter.StoreId is { } store ? rows.Where(p => p.StoreId == store) : rows;
        rows = filter.Result is { } result ? rows.Where(p => p.Result == result) : rows;
        rows = filter.OrderNumber is { } order ? rows.Where(p => p.OrderNumber == order) : rows;
        if (filter.ChannelOrderNumber is { } number)
        {
            // Every attempt's number is in the ledger's own key.
            rows = rows.Where(p => db.Set<ChannelOrderRow>().Any(c => c.Number == number && c.Sn == p.SerialNumber && c.RequestId == p.RequestId));
        }

        return after is { } position
            ? rows.Where(p => p.AcceptedAt < position.AcceptedAt || (p.AcceptedAt == position.AcceptedAt && p.Seq < position.Seq))
            : rows;
    }
}
