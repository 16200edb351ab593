using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;

namespace DeviceHub.Core.Terminals;

/// <summary>
/// One terminal. Key: its serial number. Methods of a session carry the session's epoch; one that is older than the current is
/// answered StaleSession. The terminal's key never leaves this grain but by an activation's offer.
/// </summary>
[Alias("dh.ITerminalGrain")]
public interface ITerminalGrain : IGrainWithStringKey
{
    /// <summary>Checks the proof and makes this session the terminal's one; the older session is cut without waiting for it.</summary>
    [Alias("Connect")]
    Task<ConnectAnswer> Connect(ConnectRequest request);

    /// <summary>Whether a login token is right, before hello. Takes nothing over, and uses nothing up. Null: right.</summary>
    /// <param name="secure">Makes no difference: a token that went over a plain wire once is used up on every wire.</param>
    [Alias("CheckToken")]
    Task<Refusal?> CheckToken(LoginProof proof, bool secure);

    /// <summary>Offers a key for an activation code. The offer counts once a Connect has proved it.</summary>
    [Alias("Activate")]
    Task<ActivateAnswer> Activate(ActivateRequest request);

    /// <summary>The session ended. An older epoch is ignored.</summary>
    [Alias("Disconnect")]
    Task Disconnect(long sessionEpoch);

    [Alias("Heartbeat")]
    Task<HeartbeatAnswer> Heartbeat(long sessionEpoch, HeartbeatReport report);

    /// <summary>May this be paid? In memory; never waits for anything but the grain itself.</summary>
    [Alias("Admit")]
    Task<Admission> Admit(long sessionEpoch, PaymentRequest request);

    /// <summary>Stores what the terminal says it applied. A refusal is StaleSession or nothing.</summary>
    [Alias("ConfigurationReported")]
    Task<Refusal?> ConfigurationReported(long sessionEpoch, ConfigurationReport report);

    /// <summary>The desired document, for the session to push; null: none.</summary>
    [Alias("Configuration")]
    Task<DesiredConfiguration?> Configuration();

    /// <summary>A payment of this terminal changed after its session stopped waiting: told to the current session, if there is one.</summary>
    [Alias("PaymentChanged")]
    Task PaymentChanged(PaymentView view);

    /// <summary>May the till have this amount collected here? A terminal that is not connected may be asked: it has some seconds to come back.</summary>
    [Alias("MayCollect")]
    Task<CollectAdmission> MayCollect(long amountFen);

    /// <summary>Asks the current session, if there is one, to collect.</summary>
    [Alias("Collect")]
    Task Collect(CollectCall call);

    /// <summary>Tells the current session, if there is one, to collect no more.</summary>
    [Alias("CancelCollect")]
    Task CancelCollect(string chargeId);

    // What people do, by dashboard and API. What changes something is in the audit log with the change.

    [Alias("Snapshot")]
    Task<TerminalSnapshot?> Snapshot();

    [Alias("Suspend")]
    Task<Refusal?> Suspend(Actor by);

    /// <summary>Who resumes it has looked at it: what was kept of another board is forgotten. A session that was told of the suspension is ended, once none of its payments is open: its terminal takes no scan before a login.</summary>
    [Alias("Resume")]
    Task<Refusal?> Resume(Actor by);

    /// <summary>Checks, versions, hashes and stores a document, and pushes it if the terminal is connected.</summary>
    [Alias("SetConfiguration")]
    Task<SetConfigurationAnswer> SetConfiguration(string json, Actor by);

    /// <summary>As <see cref="SetConfiguration"/>, when the desired version is still this one; else ChangedMeanwhile, with the one that is desired now.</summary>
    [Alias("SetConfigurationAfter")]
    Task<SetConfigurationAnswer> SetConfigurationAfter(string json, long version, Actor by);

    /// <summary>Its own limit of one payment, 1 to the option's; null: the option's.</summary>
    [Alias("SetMaxAmount")]
    Task<Refusal?> SetMaxAmount(long? maxAmountFen, Actor by);

    /// <summary>Tells the observer of every change, and its session's messages, for <see cref="TerminalWatch.Lifetime"/>; to be asked again before.</summary>
    [Alias("Watch")]
    Task<WatchResult> Watch(ITerminalObserver observer);

    [Alias("Unwatch")]
    Task Unwatch(ITerminalObserver observer);
}

/// <summary>
/// What proves a terminal's key without telling it to the session: the grain computes HMAC-SHA256(key, Input) and compares.
/// </summary>
/// <param name="Input">The bytes that README "Login" defines for a proof or a token.</param>
/// <param name="Mac">What the terminal sent: 32 bytes of a proof, 16 of a token.</param>
/// <param name="TokenTime">Of a token; null: a challenge was answered.</param>
[GenerateSerializer, Immutable, Alias("dh.LoginProof")]
public sealed record LoginProof(
    [property: Id(0)] byte[] Input,
    [property: Id(1)] byte[] Mac,
    [property: Id(2)] DateTimeOffset? TokenTime);

/// <param name="SessionEpoch">Made by the session: milliseconds of Unix time and its gateway, larger than any before.</param>
/// <param name="SealInput">The grain answers HMAC-SHA256(key, SealInput), the session's key.</param>
/// <param name="Secure">The wire is TLS, or ends on loopback.</param>
/// <param name="Collects">The terminal's firmware collects charges of the till.</param>
[GenerateSerializer, Immutable, Alias("dh.ConnectRequest")]
public sealed record ConnectRequest(
    [property: Id(0)] long SessionEpoch,
    [property: Id(1)] IGatewayLink Link,
    [property: Id(2)] LoginProof Proof,
    [property: Id(3)] byte[] SealInput,
    [property: Id(4)] string HardwareId,
    [property: Id(5)] string Firmware,
    [property: Id(6)] string Address,
    [property: Id(7)] bool Secure,
    [property: Id(8)] bool Collects = false);

/// <param name="Collect">What the till wants collected, of a session that does; sent after the welcome.</param>
/// <param name="Unsettled">Request ids for the welcome, newest first, at most 20.</param>
/// <param name="PaymentsRefused">Null, or why payments will be refused (suspended): told in the welcome's wake.</param>
/// <param name="Watchers">Who wants to see this session's messages; null: nobody.</param>
[GenerateSerializer, Immutable, Alias("dh.ConnectAnswer")]
public sealed record ConnectAnswer(
    [property: Id(0)] Refusal? Refusal,
    [property: Id(1)] SecretBytes? SealKey = null,
    [property: Id(2)] bool Seals = true,
    [property: Id(3)] string RequestEpoch = "",
    [property: Id(4)] long ConfigurationVersion = 0,
    [property: Id(5)] byte[]? ConfigurationHash = null,
    [property: Id(6)] bool ConfigurationDrifts = false,
    [property: Id(7)] long MaxAmountFen = 0,
    [property: Id(8)] IReadOnlyList<string>? Unsettled = null,
    [property: Id(9)] Refusal? PaymentsRefused = null,
    [property: Id(10)] CollectCall? Collect = null,
    [property: Id(11)] IReadOnlyList<ITerminalObserver>? Watchers = null);

/// <param name="Code">As typed; normalised by the grain.</param>
/// <param name="Secure">TLS or loopback; else refused.</param>
[GenerateSerializer, Immutable, Alias("dh.ActivateRequest")]
public sealed record ActivateRequest([property: Id(0)] ActivationCode Code, [property: Id(1)] string HardwareId, [property: Id(2)] bool Secure);

/// <summary>An activation code as typed; prints itself masked.</summary>
[GenerateSerializer, Immutable, Alias("dh.ActivationCode")]
public sealed class ActivationCode(string value)
{
    [Id(0)]
    private readonly string value = value;

    public string Reveal() => value;

    public override string ToString() => "****";
}

[GenerateSerializer, Immutable, Alias("dh.ActivateAnswer")]
public sealed record ActivateAnswer(
    [property: Id(0)] Refusal? Refusal,
    [property: Id(1)] SecretBytes? Key = null,
    [property: Id(2)] string MerchantName = "",
    [property: Id(3)] string StoreName = "");

/// <param name="ConfigurationDrifts">Desired and reported differ: the session pushes again.</param>
[GenerateSerializer, Immutable, Alias("dh.HeartbeatAnswer")]
public sealed record HeartbeatAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] bool ConfigurationDrifts);

[GenerateSerializer, Immutable, Alias("dh.DesiredConfiguration")]
public sealed record DesiredConfiguration([property: Id(0)] long Version, [property: Id(1)] string Json, [property: Id(2)] byte[] Hash);

[GenerateSerializer, Immutable, Alias("dh.SetConfigurationAnswer")]
public sealed record SetConfigurationAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] DesiredConfiguration? Desired);

/// <summary>Another board logged in with the terminal's right key and was not admitted: possibly a cloned image.</summary>
[GenerateSerializer, Immutable, Alias("dh.OtherHardware")]
public sealed record OtherHardware([property: Id(0)] string HardwareId, [property: Id(1)] string Address, [property: Id(2)] DateTimeOffset At)
{
    public override string ToString() => $"{HardwareId} ({Address})";
}

/// <summary>A terminal as people see it now.</summary>
[GenerateSerializer, Immutable, Alias("dh.TerminalSnapshot")]
public sealed record TerminalSnapshot(
    [property: Id(0)] TerminalRecord Record,
    [property: Id(1)] bool Connected,
    [property: Id(2)] DateTimeOffset? LastSeen,
    [property: Id(3)] string? Address,
    [property: Id(4)] HeartbeatReport? Heartbeat);

/// <summary>
/// One gateway process, as grains reach it: an observer that finds the session by serial number and epoch. One a process, not one
/// a terminal. Loss is harmless: what matters is sent again at the next welcome.
/// </summary>
[Alias("dh.IGatewayLink")]
public interface IGatewayLink : IGrainObserver
{
    /// <summary>A newer session took over: abort the connection now.</summary>
    [Alias("Cut")]
    void Cut(string serialNumber, long sessionEpoch);

    [Alias("PaymentChanged")]
    void PaymentChanged(string serialNumber, long sessionEpoch, PaymentView view);

    [Alias("Collect")]
    void Collect(string serialNumber, long sessionEpoch, CollectCall call);

    [Alias("CancelCollect")]
    void CancelCollect(string serialNumber, long sessionEpoch, string chargeId);

    [Alias("ConfigurationChanged")]
    void ConfigurationChanged(string serialNumber, long sessionEpoch);

    /// <summary>Payments of the terminal are taken again: one that was told otherwise refuses scans until its next login, so it is made to log in.</summary>
    [Alias("Resumed")]
    void Resumed(string serialNumber, long sessionEpoch);

    /// <summary>From now on, and for <see cref="TerminalWatch.Lifetime"/>, these see the session's messages; none: nobody does.</summary>
    [Alias("Watch")]
    void Watch(string serialNumber, long sessionEpoch, IReadOnlyList<ITerminalObserver> watchers);
}
