using System.Collections.Concurrent;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>The terminal store's contract in memory, with one writer that can be faster than the grain.</summary>
internal sealed class MemoryTerminals : ITerminalStore, ILastSeen
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, TerminalRecord> rows = [];
    private readonly Dictionary<string, (ActivationGrant Grant, int Uses, HashSet<string> Reserved, HashSet<string> Used)> codes = [];

    public ConcurrentQueue<Sighting> Sightings { get; } = new();

    public void AddCode(string fingerprint, ActivationGrant grant, int uses = 1)
    {
        lock (gate)
        {
            codes[fingerprint] = (grant, uses, [], []);
        }
    }

    public TerminalRecord Row(string serialNumber)
    {
        lock (gate)
        {
            return rows[serialNumber];
        }
    }

    /// <summary>Another writer changes the row behind the grain's back.</summary>
    public void Touch(string serialNumber, Func<TerminalRecord, TerminalRecord> change)
    {
        lock (gate)
        {
            rows[serialNumber] = change(rows[serialNumber]) with { Version = rows[serialNumber].Version + 1 };
        }
    }

    public ValueTask<TerminalRecord?> Load(string serialNumber)
    {
        lock (gate)
        {
            return new(rows.GetValueOrDefault(serialNumber));
        }
    }

    /// <summary>What people did, as it was saved with the rows.</summary>
    public ConcurrentQueue<Deed> Deeds { get; } = new();

    public ValueTask<bool> Save(TerminalRecord record, Deed? deed = null)
    {
        lock (gate)
        {
            if ((rows.GetValueOrDefault(record.SerialNumber)?.Version ?? 0) != record.Version)
            {
                return new(false);
            }

            if (deed is not null)
            {
                Deeds.Enqueue(deed);
            }

            rows[record.SerialNumber] = record with { Version = record.Version + 1 };
            return new(true);
        }
    }

    public ValueTask<ActivationGrant?> ReserveActivation(string fingerprint, string serialNumber, DateTimeOffset now)
    {
        lock (gate)
        {
            if (!codes.TryGetValue(fingerprint, out var code) || code.Used.Contains(serialNumber)
                || (!code.Reserved.Contains(serialNumber) && code.Reserved.Count + code.Used.Count >= code.Uses))
            {
                return new((ActivationGrant?)null);
            }

            code.Reserved.Add(serialNumber);
            return new(code.Grant);
        }
    }

    public async ValueTask<bool> SaveActivated(TerminalRecord record, DateTimeOffset now)
    {
        if (!await Save(record))
        {
            return false;
        }

        lock (gate)
        {
            foreach (var code in codes.Values.Where(c => c.Reserved.Remove(record.SerialNumber)))
            {
                code.Used.Add(record.SerialNumber);
            }
        }

        return true;
    }

    public void Saw(Sighting sighting) => Sightings.Enqueue(sighting);
}
