using DeviceHub.Core.Payments;

namespace DeviceHub.Simulation;

internal delegate PaymentDecision Decide(PaymentId id, PaymentState? state, PaymentInput input, Moment now, PaymentOptions options);

/// <summary>
/// Where the simulated hub can be built wrong. As it stands it is built like the real one; a <see cref="Mutant"/> turns one of these, so
/// that no deliberate bug is in the hub's own code.
/// </summary>
internal sealed record Seams
{
    public static Seams Right { get; } = new();

    /// <summary>The decision core.</summary>
    public Decide Decide { get; init; } = PaymentDecisions.Decide;

    /// <summary>The adapter: what it makes of a channel's answer, or of there being none.</summary>
    public Func<EffectKind, ChannelVerdict, ChannelVerdict> Hear { get; init; } = static (_, said) => said;

    /// <summary>The adapter: under which number it asks for a refund.</summary>
    public Func<World, string, string> RefundNumber { get; init; } = static (_, number) => number;

    /// <summary>The shell: effects run after their append, and only when it was written.</summary>
    public bool ActsBeforeItStores { get; init; }
    public bool ActsAfterConflict { get; init; }
    public bool PaysAfterDeadline { get; init; }
    public bool ReadsWallClockAnew { get; init; }
    public bool AnswersBeforeItStores { get; init; }
    public bool TellsBeforeItStores { get; init; }
    public bool TakesOtherContents { get; init; }

    /// <summary>The store.</summary>
    public bool IgnoresVersions { get; init; }
    public bool ForgetsDue { get; init; }
    public bool IgnoresOrderNumbers { get; init; }
    public bool IgnoresDuplicates { get; init; }

    /// <summary>The store of charges.</summary>
    public bool IgnoresChargeVersions { get; init; }
    public bool IgnoresClosedCharges { get; init; }

    /// <summary>The session.</summary>
    public bool TellsOnce { get; init; }
    public bool CallsDoubtDeclined { get; init; }
}
