using System.Diagnostics.Metrics;

namespace DeviceHub.Gateways;

/// <summary>What operators watch about sessions.</summary>
internal static class SessionMetrics
{
    private static readonly Meter Meter = new("DeviceHub.Gateways");

    public static readonly Counter<long> Messages = Meter.CreateCounter<long>("session.messages");
    public static readonly Counter<long> Refusals = Meter.CreateCounter<long>("session.refusals");
    public static readonly Counter<long> SealFaults = Meter.CreateCounter<long>("session.seal_faults");
    public static readonly Counter<long> WrongAttempts = Meter.CreateCounter<long>("session.wrong_credentials");
    public static readonly Counter<long> Welcomes = Meter.CreateCounter<long>("session.welcomes");
    public static readonly Counter<long> Replaced = Meter.CreateCounter<long>("session.replaced");
    public static readonly Counter<long> Resent = Meter.CreateCounter<long>("session.outcomes_resent");
    public static readonly Counter<long> Unconfirmed = Meter.CreateCounter<long>("session.outcomes_never_confirmed");
    public static readonly Counter<long> GrainFaults = Meter.CreateCounter<long>("session.grain_call_faults");
    public static readonly Counter<long> TooLarge = Meter.CreateCounter<long>("session.downlinks_too_large");
    public static readonly Counter<long> Pushes = Meter.CreateCounter<long>("session.configuration_pushes");
    public static readonly Counter<long> PushesPostponed = Meter.CreateCounter<long>("session.configuration_pushes_postponed");
    public static readonly Counter<long> PushesStopped = Meter.CreateCounter<long>("session.configuration_pushes_stopped");
    public static readonly UpDownCounter<long> LoggedIn = Meter.CreateUpDownCounter<long>("session.logged_in");

    public static void Count(Counter<long> counter, string tag, string value) => counter.Add(1, new KeyValuePair<string, object?>(tag, value));
}
