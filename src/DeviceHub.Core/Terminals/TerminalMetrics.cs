using System.Diagnostics.Metrics;

namespace DeviceHub.Core.Terminals;

/// <summary>What operators watch about terminals.</summary>
internal static class TerminalMetrics
{
    private static readonly Meter Meter = new("DeviceHub.Core");

    public static readonly Counter<long> Logins = Meter.CreateCounter<long>("terminals.logins");
    public static readonly Counter<long> WrongCredentials = Meter.CreateCounter<long>("terminals.wrong_credentials");

    /// <summary>A right key from another board than the one that was activated: possibly a cloned image.</summary>
    public static readonly Counter<long> OtherHardware = Meter.CreateCounter<long>("terminals.other_hardware");
    public static readonly Counter<long> TakenOver = Meter.CreateCounter<long>("terminals.sessions_taken_over");
    public static readonly Counter<long> StaleSessions = Meter.CreateCounter<long>("terminals.stale_session_messages");
    public static readonly Counter<long> Offers = Meter.CreateCounter<long>("terminals.activation_offers");
    public static readonly Counter<long> Activated = Meter.CreateCounter<long>("terminals.activated");
    public static readonly Counter<long> ActivationsRefused = Meter.CreateCounter<long>("terminals.activations_refused");
    public static readonly Counter<long> NotAdmitted = Meter.CreateCounter<long>("terminals.requests_not_admitted");
    public static readonly Counter<long> SavesRepeated = Meter.CreateCounter<long>("terminals.saves_repeated");

    public static void Count(Counter<long> counter, string tag, string value) => counter.Add(1, new KeyValuePair<string, object?>(tag, value));
}
