using DeviceHub.Core.Terminals;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

/// <param name="Search">The beginning of a serial number.</param>
public sealed record TerminalFilter(
    string? Search = null, TerminalStatus? Status = null, string? MerchantId = null, string? StoreId = null, string? Model = null);

/// <summary>A terminal in a list. No keys.</summary>
public sealed record TerminalSummary(
    string SerialNumber,
    TerminalStatus Status,
    string Model,
    string? MerchantId,
    string? MerchantName,
    string? StoreId,
    string? StoreName,
    long DesiredVersion,
    long ReportedVersion,
    DateTimeOffset RegisteredAt,
    DateTimeOffset? ActivatedAt,
    DateTimeOffset? LastSeen,
    string? Address,
    string? Firmware);

/// <param name="Next">The serial number after which the next page begins; null: this was the last.</param>
public sealed record TerminalPage(IReadOnlyList<TerminalSummary> Terminals, string? Next);

/// <summary>Lists of terminals by serial number.</summary>
public sealed class TerminalQueries(HubReads reads)
{
    /// <param name="limit">1 to 200.</param>
    public Task<TerminalPage> List(TerminalFilter filter, string? after, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 200);
        return reads.Run(
            async (db, token) =>
            {
                var query =
                    from t in Narrow(db.Terminals, filter, after)
                    join l in db.LastSeen on t.SerialNumber equals l.SerialNumber into seen
                    from l in seen.DefaultIfEmpty()
                    orderby t.SerialNumber
                    select new TerminalSummary(
                        t.SerialNumber, t.Status, t.Model, t.MerchantId, t.MerchantName, t.StoreId, t.StoreName, t.DesiredVersion,
                        t.ReportedVersion, t.RegisteredAt, t.ActivatedAt, l == null ? null : l.At, l == null ? null : l.Address,
                        l == null ? null : l.Firmware);
                var rows = await query.Take(limit + 1).ToListAsync(token);
                var more = rows.Count > limit;
                if (more)
                {
                    rows.RemoveAt(limit);
                }

                return new TerminalPage(rows, more ? rows[^1].SerialNumber : null);
            },
            cancellationToken);
    }

    private static IQueryable<TerminalRow> Narrow(IQueryable<TerminalRow> rows, TerminalFilter filter, string? after)
    {
        rows = filter.Search is { Length: > 0 } search ? rows.Where(t => t.SerialNumber.StartsWith(search)) : rows;
        rows = filter.Status is { } status ? rows.Where(t => t.Status == status) : rows;
        rows = filter.MerchantId is { } merchant ? rows.Where(t => t.MerchantId == merchant) : rows;
        rows = filter.StoreId is { } store ? rows.Where(t => t.StoreId == store) : rows;
        rows = filter.Model is { } model ? rows.Where(t => t.Model == model) : rows;
#pragma warning disable CA1309 // It is translated; the database compares bytes.
        return after is not null ? rows.Where(t => string.Compare(t.SerialNumber, after) > 0) : rows;
#pragma warning restore CA1309
    }
}
