using System.Diagnostics.Metrics;

namespace DeviceHub.Storage;

/// <summary>Meter <c>DeviceHub.Storage</c>.</summary>
internal static class StorageMetrics
{
    public static readonly Meter Meter = new("DeviceHub.Storage");

    public static readonly Counter<long> Commits = Meter.CreateCounter<long>("devicehub.ledger.commits", description: "Commits of the payment ledger");
    public static readonly Counter<long> Entries = Meter.CreateCounter<long>("devicehub.ledger.entries", description: "Entries answered, by result");
    public static readonly Histogram<double> CommitMs = Meter.CreateHistogram<double>("devicehub.ledger.commit", "ms", "Time of one group commit");
    public static readonly UpDownCounter<int> Refusing = Meter.CreateUpDownCounter<int>("devicehub.ledger.refusing", description: "1 while new payments are refused for the disk's sake");
    public static readonly Gauge<long> ProjectionLag = Meter.CreateGauge<long>("devicehub.projection.lag", description: "Ledger rows that searchable payments do not show yet");
    public static readonly Counter<long> ProjectionFaults = Meter.CreateCounter<long>("devicehub.projection.faults", description: "Payments that could not be folded, and failed batches");
    public static readonly Counter<long> SightingsDropped = Meter.CreateCounter<long>("devicehub.last_seen.dropped", description: "Sightings dropped because too many terminals waited");
    public static readonly Counter<long> ReadsBrokenOff = Meter.CreateCounter<long>("devicehub.reads.broken_off", description: "Reads over their time limit");
    public static readonly Gauge<long> WalBytes = Meter.CreateGauge<long>("devicehub.wal.size", "By", "Size of the write-ahead log");
    public static readonly Counter<long> Outdated = Meter.CreateCounter<long>("devicehub.storage.outdated_deleted", description: "Rows that were deleted because they had been kept long enough, by table");
}
