namespace DeviceHub.Core.People;

/// <summary>What was done to one thing, from the audit log.</summary>
public interface IAuditHistory
{
    /// <summary>Newest first.</summary>
    /// <param name="subject">As <see cref="IAuditLog.Write"/> had it.</param>
    /// <param name="what">Only this action; null: all.</param>
    /// <param name="limit">1 to 200.</param>
    Task<IReadOnlyList<AuditEntry>> Of(string subject, string? what, int limit, CancellationToken cancellationToken);
}

/// <param name="Before">JSON; null: there was nothing.</param>
public sealed record AuditEntry(DateTimeOffset At, string Who, string? Address, string What, string? Before, string? After);
