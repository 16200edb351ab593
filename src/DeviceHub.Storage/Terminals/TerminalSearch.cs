using DeviceHub.Core.Terminals;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>
/// Searches terminals. A page is found first, by serial numbers and over indexes where there are some, and only its rows are read with their
/// sightings: three reads, however many rows were passed by.
/// </summary>
internal sealed class TerminalSearch(HubReads reads, IOptions<TerminalOptions> options, TimeProvider clock) : ITerminalSearch
{
    public Task<IReadOnlyList<TerminalSummary>> Find(TerminalFilter filter, TerminalOrder order, int skip, int limit, CancellationToken stop) =>
        reads.Search(async (db, cancel) => await InOrder(db, Ordered(db, Matching(db, filter), order).Skip(skip).Take(limit), cancel), stop);

    /// <summary>Ordered, so that all sightings are met as they lie: in the order of any other index it takes five times as long.</summary>
    public Task<int> Count(TerminalFilter filter, int atMost, CancellationToken stop) =>
        reads.Search((db, cancel) => Matching(db, filter).Select(t => t.SerialNumber).OrderBy(sn => sn).Take(atMost).CountAsync(cancel), stop);

    public Task<IReadOnlyList<TerminalSummary>> After(TerminalFilter filter, string? after, int limit, CancellationToken stop) => reads.Search(
        async (db, cancel) =>
        {
            var rows = Matching(db, filter);
#pragma warning disable CA1309 // SQLite compares, by bytes.
            rows = after is null ? rows : rows.Where(t => string.Compare(t.SerialNumber, after) > 0);
#pragma warning restore CA1309
            return await InOrder(db, rows.OrderBy(t => t.SerialNumber).Take(limit), cancel);
        },
        stop);

    public Task<IReadOnlyList<TerminalSummary>> Read(IReadOnlyCollection<string> serialNumbers, CancellationToken stop) =>
        reads.Search(async (db, cancel) => await InOrder(db, db.Terminals.Where(t => serialNumbers.Contains(t.SerialNumber)), cancel), stop);

    public Task<TerminalKinds> Kinds(int limit, CancellationToken stop) => reads.Search(
        async (db, cancel) => new TerminalKinds(
            await db.Terminals.Select(t => t.Model).Where(m => m != "").Distinct().OrderBy(m => m).Take(limit).ToListAsync(cancel),
            await db.LastSeen.Where(l => l.Firmware != null).Select(l => l.Firmware!).Distinct().OrderByDescending(f => f).Take(limit).ToListAsync(cancel)),
        stop);

    /// <summary>The filter's terminals, in no order.</summary>
    internal IQueryable<TerminalRow> Matching(HubDbContext db, TerminalFilter filter)
    {
        var now = clock.GetUtcNow();
        var heardAfter = TerminalPresence.HeardAfter(options.Value, now);

        // The condition of the index, word for word.
        var rows = filter.Drifts == true ? db.Terminals.FromSqlRaw("SELECT * FROM terminal WHERE " + HubDbContext.Drifts) : db.Terminals;
        rows = filter.Drifts == false ? rows.Where(t => t.DesiredVersion == 0
            || (t.ReportedResult == ConfigurationResult.Applied && t.ReportedVersion == t.DesiredVersion && t.ReportedHash == t.DesiredHash)) : rows;
        rows = filter.Status is { } status ? rows.Where(t => t.Status == status) : rows;
        rows = filter.Model is { } model ? rows.Where(t => t.Model == model) : rows;
        rows = filter.MerchantId is { } merchant ? rows.Where(t => t.MerchantId == merchant) : rows;
        rows = filter.StoreId is { } store ? rows.Where(t => t.StoreId == store) : rows;
        rows = filter.Firmware is { } firmware ? rows.Where(t => db.LastSeen.Any(l => l.SerialNumber == t.SerialNumber && l.Firmware == firmware)) : rows;
        rows = filter.Presence switch
        {
            null => rows,
            PresenceFilter.Offline => rows.Exactly(db, TerminalState.Offline, heardAfter, now),
            PresenceFilter.Silent => rows.Exactly(db, TerminalState.Silent, heardAfter, now),
            PresenceFilter.Connected => rows.AtLeast(db, TerminalState.Silent, heardAfter, now),
            PresenceFilter.Responsive => rows.AtLeast(db, TerminalState.Responsive, heardAfter, now),
            PresenceFilter.Payable => rows.AtLeast(db, TerminalState.Payable, heardAfter, now),
            _ => rows.Exactly(db, TerminalState.Responsive, heardAfter, now),
        };
        return string.IsNullOrWhiteSpace(filter.Text) ? rows : Naming(db, rows, SqlText.Like(filter.Text.Trim()));
    }

    /// <summary>Names are looked for in the small tables of merchants and stores, and serial numbers in their index: no terminal's row is read for it.</summary>
    private static IQueryable<TerminalRow> Naming(HubDbContext db, IQueryable<TerminalRow> rows, string like)
    {
        var stores = db.Stores.Where(s => EF.Functions.Like(s.Name, like, SqlText.Escape)).Select(s => s.Id);
        var merchants = db.Merchants.Where(m => EF.Functions.Like(m.Name, like, SqlText.Escape)).Select(m => m.Id);
        var found = db.Terminals.Where(t => EF.Functions.Like(t.SerialNumber, like, SqlText.Escape)).Select(t => t.SerialNumber)
            .Union(db.Terminals.Where(t => stores.Contains(t.StoreId!)).Select(t => t.SerialNumber))
            .Union(db.Terminals.Where(t => merchants.Contains(t.MerchantId!)).Select(t => t.SerialNumber));
        return rows.Where(t => found.Contains(t.SerialNumber));
    }

    internal static IQueryable<TerminalRow> Ordered(HubDbContext db, IQueryable<TerminalRow> rows, TerminalOrder order) => order switch
    {
        { By: TerminalSort.LastSeen, Descending: false } => rows.OrderBy(t => db.LastSeen.Where(l => l.SerialNumber == t.SerialNumber).Select(l => l.At).FirstOrDefault()).ThenBy(t => t.SerialNumber),
        { By: TerminalSort.LastSeen } => rows.OrderByDescending(t => db.LastSeen.Where(l => l.SerialNumber == t.SerialNumber).Select(l => l.At).FirstOrDefault()).ThenByDescending(t => t.SerialNumber),
        { By: TerminalSort.Store, Descending: false } => rows.OrderBy(t => t.StoreName).ThenBy(t => t.SerialNumber),
        { By: TerminalSort.Store } => rows.OrderByDescending(t => t.StoreName).ThenByDescending(t => t.SerialNumber),
        { By: TerminalSort.Status, Descending: false } => rows.OrderBy(t => t.Status).ThenBy(t => t.SerialNumber),
        { By: TerminalSort.Status } => rows.OrderByDescending(t => t.Status).ThenByDescending(t => t.SerialNumber),
        { By: TerminalSort.Registered, Descending: false } => rows.OrderBy(t => t.RegisteredAt).ThenBy(t => t.SerialNumber),
        { By: TerminalSort.Registered } => rows.OrderByDescending(t => t.RegisteredAt).ThenByDescending(t => t.SerialNumber),
        { Descending: false } => rows.OrderBy(t => t.SerialNumber),
        _ => rows.OrderByDescending(t => t.SerialNumber),
    };

    private async Task<IReadOnlyList<TerminalSummary>> InOrder(HubDbContext db, IQueryable<TerminalRow> page, CancellationToken stop)
    {
        var serials = await page.Select(t => t.SerialNumber).ToListAsync(stop);
        var rows = await db.Terminals.Where(t => serials.Contains(t.SerialNumber)).Select(t => new
        {
            t.SerialNumber,
            t.Status,
            t.Model,
            t.MerchantId,
            t.MerchantName,
            t.StoreId,
            t.StoreName,
            t.RegisteredAt,
            t.ActivatedAt,
            Drifts = t.DesiredVersion > 0 && (t.ReportedResult != ConfigurationResult.Applied || t.ReportedVersion != t.DesiredVersion || t.ReportedHash != t.DesiredHash),
        }).ToDictionaryAsync(t => t.SerialNumber, stop);
        var seen = await db.LastSeen.Where(l => serials.Contains(l.SerialNumber)).Select(l => new { l.SerialNumber, l.At, l.Firmware, l.Connected }).ToDictionaryAsync(l => l.SerialNumber, stop);
        var now = clock.GetUtcNow();
        var heardAfter = TerminalPresence.HeardAfter(options.Value, now);
        var troubles = await db.TerminalTroubles.Where(x => serials.Contains(x.SerialNumber) && x.CountsFrom <= now).ToDictionaryAsync(x => x.SerialNumber, x => x.Trouble, stop);
        return
        [
            .. from serial in serials
               where rows.ContainsKey(serial)
               let t = rows[serial]
               let l = seen.GetValueOrDefault(serial)
               let trouble = troubles.GetValueOrDefault(serial)
               select new TerminalSummary(
                   serial, t.Status, t.Model, t.MerchantId, t.MerchantName, t.StoreId, t.StoreName, t.RegisteredAt, t.ActivatedAt, l?.At, l?.Firmware, t.Drifts, trouble,
                   TerminalPresence.Of(t.Status, l?.Connected == true, l?.At, trouble, heardAfter)),
        ];
    }
}
