using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Terminals;

/// <summary>
/// What a terminal is good for now, as three answers each of which includes the one before: <see cref="Connected"/>, responsive, payable. A terminal counts
/// for the best that it is; lists ask for "at least connected", "at least responsive".
/// </summary>
public enum TerminalState
{
    /// <summary>It has no session.</summary>
    Offline = 0,

    /// <summary>The transport says that it is connected, but it has not been heard for <see cref="TerminalOptions.SilentAfterHeartbeats"/>.</summary>
    Silent = 1,

    /// <summary>Connected and heard lately, but not payable.</summary>
    Responsive = 2,

    /// <summary>Responsive and active, and its last payment went end to end, or it has had none yet.</summary>
    Payable = 3,
}

/// <summary>Why a terminal's last payment speaks against it. Stored by value: never renumber.</summary>
public enum PaymentTrouble
{
    /// <summary>It went end to end: approved or declined by the payer's side, and shown.</summary>
    None = 0,

    /// <summary>Nobody knows yet whether the payer was charged.</summary>
    InDoubt = 1,

    /// <summary>The terminal did not say within <see cref="TerminalOptions.ShownWithinSeconds"/> that it has shown the outcome.</summary>
    NotShown = 2,

    /// <summary>No channel took it.</summary>
    NoChannel = 3,
}

/// <summary>A terminal's presence, derived when it is read.</summary>
/// <param name="HeardAt">The last sign of life; up to <c>Storage:LastSeenInterval</c> behind. Null: never.</param>
/// <param name="Trouble">Of its last payment, when that counts already.</param>
/// <param name="TroublePayment">The request id of that payment.</param>
public sealed record TerminalPresence(
    string SerialNumber, TerminalStatus Status, bool Connected, DateTimeOffset? HeardAt, PaymentTrouble Trouble, string? TroublePayment, TerminalState State)
{
    /// <summary>The one definition; <c>PresenceQueries</c> says it in SQL, and a test compares them.</summary>
    /// <param name="heardAfter"><see cref="HeardAfter"/>.</param>
    public static TerminalState Of(TerminalStatus status, bool connected, DateTimeOffset? heardAt, PaymentTrouble trouble, DateTimeOffset heardAfter) =>
        !connected ? TerminalState.Offline
        : heardAt is not { } heard || heard <= heardAfter ? TerminalState.Silent
        : status == TerminalStatus.Active && trouble == PaymentTrouble.None ? TerminalState.Payable
        : TerminalState.Responsive;

    /// <summary>A connected terminal that was heard after this is responsive.</summary>
    public static DateTimeOffset HeardAfter(TerminalOptions options, DateTimeOffset now) =>
        now - TimeSpan.FromSeconds((long)options.HeartbeatIntervalSeconds * options.SilentAfterHeartbeats);

    /// <summary>What a payment says of its terminal, when it is the terminal's last; null: nothing (it runs, was cancelled, or is a test).</summary>
    public static PaymentTrouble? TroubleOf(PaymentState payment) => payment switch
    {
        { Id.IsTest: true } => null,
        { Stage: PaymentStage.InDoubt } => PaymentTrouble.InDoubt,
        { Outcome: { Result: PaymentResult.Declined, Reason: DeclineReason.ChannelUnavailable } } => PaymentTrouble.NoChannel,
        { Outcome.Result: PaymentResult.Approved or PaymentResult.Declined } => payment.IsShown ? PaymentTrouble.None : PaymentTrouble.NotShown,
        _ => null,
    };
}

/// <summary>Terminals counted by what they are good for.</summary>
/// <param name="Connected">At least: the responsive and payable ones are in it.</param>
/// <param name="Responsive">At least: the payable ones are in it.</param>
/// <param name="Total">Without the retired ones.</param>
public sealed record FleetCounts(long Connected, long Responsive, long Payable, long Active, long Suspended, long Registered, long Total)
{
    public long Silent => Connected - Responsive;
}

/// <summary>Presence of the fleet and of one terminal, from the stored sightings: up to <c>Storage:LastSeenInterval</c> behind.</summary>
public interface IFleetPresence
{
    /// <summary>Reads indexes and no terminal's row; some milliseconds with 100,000 of them. Viewers share it (<c>SharedSnapshot</c>).</summary>
    Task<FleetCounts> Count();

    /// <summary>Null: no such terminal.</summary>
    Task<TerminalPresence?> Of(string serialNumber);
}
