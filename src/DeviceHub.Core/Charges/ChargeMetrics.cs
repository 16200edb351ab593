using System.Diagnostics.Metrics;

namespace DeviceHub.Core.Charges;

/// <summary>Counters of charges from the till; meter <c>DeviceHub.Charges</c>.</summary>
internal static class ChargeMetrics
{
    private static readonly Meter Meter = new("DeviceHub.Charges");

    public static readonly Counter<long> Asked = Meter.CreateCounter<long>("charges.asked", description: "Charges that tills asked for, by what came of it");
    public static readonly Counter<long> Closed = Meter.CreateCounter<long>("charges.closed", description: "Charges that ended, by how");
    public static readonly Counter<long> SavesRepeated = Meter.CreateCounter<long>("charges.saves_repeated", description: "Writes that met another one and were decided upon again");
    public static readonly Counter<long> Swept = Meter.CreateCounter<long>("charges.swept", description: "Charges that were due and that the sweeper woke");

    public static void Count(Counter<long> counter, string name, string value) => counter.Add(1, new KeyValuePair<string, object?>(name, value));
}
