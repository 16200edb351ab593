namespace DeviceHub.Core.Terminals;

/// <summary>What may be said of a terminal; in the order of weight: what stands first says why what follows does not matter.</summary>
public enum TerminalSign
{
    Retired,
    NeverActivated,
    Suspended,
    NeverConnected,
    NotConnected,
    Silent,
    PaymentInDoubt,
    NoChannel,
    OutcomeNotShown,
    TakesMoney,
    OtherHardware,
    ConfigurationRefused,
    ConfigurationDamaged,
    ConfigurationDrifts,
}

public enum TerminalMood
{
    Good,
    Idle,
    Warning,
    Bad,
}

/// <summary>One thing to say of a terminal; its words are the page's.</summary>
/// <param name="Since">Since when it is so; null: it does not matter.</param>
/// <param name="Detail">What another said of it: a reason, an id, as it is.</param>
public sealed record TerminalWord(TerminalSign Sign, TerminalMood Mood, DateTimeOffset? Since = null, string? Detail = null);

/// <summary>A terminal's state in plain words.</summary>
public static class TerminalWords
{
    /// <summary>The state first, then what else people should know. Never empty.</summary>
    /// <param name="presence">From the stored sightings; what the grain knows goes before it. Null: nothing is stored.</param>
    public static IReadOnlyList<TerminalWord> Of(TerminalSnapshot terminal, TerminalPresence? presence, TerminalOptions options, DateTimeOffset now)
    {
        var words = new List<TerminalWord> { State(terminal, presence, options, now) };
        if (terminal.Record.OtherHardware is { } other)
        {
            words.Add(new(TerminalSign.OtherHardware, TerminalMood.Bad, other.At, other.ToString()));
        }

        if (Configuration(terminal) is { } configuration)
        {
            words.Add(configuration);
        }

        return words;
    }

    private static TerminalWord State(TerminalSnapshot terminal, TerminalPresence? presence, TerminalOptions options, DateTimeOffset now)
    {
        var heard = terminal.LastSeen ?? presence?.HeardAt;
        return terminal.Record.Status switch
        {
            TerminalStatus.Retired => new(TerminalSign.Retired, TerminalMood.Idle),
            TerminalStatus.None or TerminalStatus.Registered => new(TerminalSign.NeverActivated, TerminalMood.Idle),
            TerminalStatus.Suspended => new(TerminalSign.Suspended, TerminalMood.Warning),
            _ when !terminal.Connected && heard is null => new(TerminalSign.NeverConnected, TerminalMood.Bad),
            _ when !terminal.Connected => new(TerminalSign.NotConnected, TerminalMood.Bad, heard),
            _ when heard is null || heard <= TerminalPresence.HeardAfter(options, now) => new(TerminalSign.Silent, TerminalMood.Bad, heard),
            _ => presence?.Trouble switch
            {
                PaymentTrouble.InDoubt => new(TerminalSign.PaymentInDoubt, TerminalMood.Warning, null, presence.TroublePayment),
                PaymentTrouble.NoChannel => new(TerminalSign.NoChannel, TerminalMood.Bad, null, presence.TroublePayment),
                PaymentTrouble.NotShown => new(TerminalSign.OutcomeNotShown, TerminalMood.Warning, null, presence.TroublePayment),
                _ => new(TerminalSign.TakesMoney, TerminalMood.Good),
            },
        };
    }

    private static TerminalWord? Configuration(TerminalSnapshot terminal)
    {
        var record = terminal.Record;
        if (record is not { DesiredVersion: > 0, DesiredHash: { } desired, Status: TerminalStatus.Active or TerminalStatus.Suspended })
        {
            return null;
        }

        return record.Reported switch
        {
            { Result: ConfigurationResult.Refused } r when r.Version == record.DesiredVersion => new(TerminalSign.ConfigurationRefused, TerminalMood.Bad, r.At, r.Detail),
            { Result: ConfigurationResult.HashMismatch } r when r.Version == record.DesiredVersion => new(TerminalSign.ConfigurationDamaged, TerminalMood.Warning, r.At),
            { Result: ConfigurationResult.Applied } r when r.Version == record.DesiredVersion && r.Hash.AsSpan().SequenceEqual(desired) => null,
            _ => new(TerminalSign.ConfigurationDrifts, TerminalMood.Warning),
        };
    }
}
