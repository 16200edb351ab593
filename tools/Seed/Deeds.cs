using DeviceHub.Storage;

namespace DeviceHub.Tools.Seed;

/// <summary>What people did, in any order; written once, in the order of time, as the audit log would have grown.</summary>
internal sealed class Deeds(Dice dice)
{
    private const string Address = "192.168.10.";

    private readonly List<AuditRow> rows = [];

    /// <param name="before">JSON, as <paramref name="after"/>; null: there was nothing.</param>
    public void Add(DateTimeOffset at, string who, string what, string subject, string? before = null, string? after = null) =>
        rows.Add(new AuditRow { At = at, Who = who, What = what, Subject = subject, Before = before, After = after, Address = Address + Names.Desk(who, dice) });

    /// <summary>In one transaction.</summary>
    public int Write(HubDatabase database)
    {
        var db = database.Writes;
        db.Prepare("BEGIN IMMEDIATE").Run();
        foreach (var row in rows.OrderBy(r => r.At))
        {
            db.Prepare("INSERT INTO audit(at, who, what, subject, before, after, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
                .Bind(1, row.At).Bind(2, row.Who).Bind(3, row.What).Bind(4, row.Subject).Bind(5, row.Before).Bind(6, row.After).Bind(7, row.Address).Run();
        }

        db.Prepare("COMMIT").Run();
        return rows.Count;
    }
}
