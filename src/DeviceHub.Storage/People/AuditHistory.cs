using DeviceHub.Core.People;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

/// <summary>The audit rows of one subject, by their index.</summary>
internal sealed class AuditHistory(HubReads reads) : IAuditHistory
{
    private const int MaxRows = 200;

    public Task<IReadOnlyList<AuditEntry>> Of(string subject, string? what, int limit, CancellationToken cancellationToken) => reads.Run<IReadOnlyList<AuditEntry>>(
        async (db, stop) => await db.Audit.Where(a => a.Subject == subject && (what == null || a.What == what)).OrderByDescending(a => a.Id).Take(Math.Clamp(limit, 1, MaxRows))
            .Select(a => new AuditEntry(a.At, a.Who, a.Address, a.What, a.Before, a.After)).ToListAsync(stop),
        cancellationToken);
}
