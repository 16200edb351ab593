using System.Diagnostics.Metrics;

namespace DeviceHub.Core.Payments;

/// <summary>What operators watch about payments.</summary>
internal static class PaymentMetrics
{
    private static readonly Meter Meter = new("DeviceHub.Core");

    public static readonly Counter<long> Accepted = Meter.CreateCounter<long>("payments.accepted");
    public static readonly Counter<long> Outcomes = Meter.CreateCounter<long>("payments.outcomes");
    public static readonly Counter<long> Attention = Meter.CreateCounter<long>("payments.attention");
    public static readonly Counter<long> Conflicts = Meter.CreateCounter<long>("payments.request_conflicts");
    public static readonly Counter<long> Collisions = Meter.CreateCounter<long>("payments.collisions");
    public static readonly Counter<long> NoRoute = Meter.CreateCounter<long>("payments.no_route");
    public static readonly Counter<long> Rerouted = Meter.CreateCounter<long>("payments.rerouted");
    public static readonly Counter<long> Notices = Meter.CreateCounter<long>("payments.notices");
    public static readonly Counter<long> Refunds = Meter.CreateCounter<long>("payments.refunds");
    public static readonly Counter<long> AppendsRepeated = Meter.CreateCounter<long>("payments.appends_repeated");
    public static readonly Counter<long> Swept = Meter.CreateCounter<long>("payments.swept");
    public static readonly Histogram<double> AcceptMs = Meter.CreateHistogram<double>("payments.accept", "ms");
    public static readonly Histogram<double> OutcomeMs = Meter.CreateHistogram<double>("payments.scan_to_outcome", "ms");
    public static readonly Histogram<double> ChannelMs = Meter.CreateHistogram<double>("payments.channel_call", "ms");
}
