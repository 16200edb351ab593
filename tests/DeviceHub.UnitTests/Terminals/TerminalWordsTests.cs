using DeviceHub.Core.Terminals;

namespace DeviceHub.UnitTests.Terminals;

/// <summary>What is said of a terminal, case by case.</summary>
public sealed class TerminalWordsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);
    private static readonly byte[] Hash = [1];

    private static readonly TerminalSnapshot Good = new(
        new TerminalRecord { SerialNumber = "T1", Status = TerminalStatus.Active, MerchantId = "M1", StoreId = "S1" }, true, Now.AddMinutes(-1), "10.0.0.1:5", null);

    public static TheoryData<string, TerminalSnapshot, TerminalPresence?, TerminalWord[]> Cases() => new()
    {
        { "well", Good, null, [new(TerminalSign.TakesMoney, TerminalMood.Good)] },
        { "never activated", With(r => r with { Status = TerminalStatus.Registered }), null, [new(TerminalSign.NeverActivated, TerminalMood.Idle)] },
        { "retired", With(r => r with { Status = TerminalStatus.Retired }), null, [new(TerminalSign.Retired, TerminalMood.Idle)] },
        { "suspended, whatever else", With(r => r with { Status = TerminalStatus.Suspended }) with { Connected = false }, null, [new(TerminalSign.Suspended, TerminalMood.Warning)] },
        { "never connected", Good with { Connected = false, LastSeen = null }, null, [new(TerminalSign.NeverConnected, TerminalMood.Bad)] },
        { "gone", Good with { Connected = false }, null, [new(TerminalSign.NotConnected, TerminalMood.Bad, Now.AddMinutes(-1))] },
        {
            "gone before the hub began", Good with { Connected = false, LastSeen = null }, Presence(PaymentTrouble.None, Now.AddDays(-1)),
            [new(TerminalSign.NotConnected, TerminalMood.Bad, Now.AddDays(-1))]
        },
        { "silent", Good with { LastSeen = Now.AddMinutes(-11) }, null, [new(TerminalSign.Silent, TerminalMood.Bad, Now.AddMinutes(-11))] },
        { "heard just in time", Good with { LastSeen = Now.AddMinutes(-9.9) }, null, [new(TerminalSign.TakesMoney, TerminalMood.Good)] },
        { "in doubt", Good, Presence(PaymentTrouble.InDoubt), [new(TerminalSign.PaymentInDoubt, TerminalMood.Warning, null, "r-1")] },
        { "no channel", Good, Presence(PaymentTrouble.NoChannel), [new(TerminalSign.NoChannel, TerminalMood.Bad, null, "r-1")] },
        { "not shown", Good, Presence(PaymentTrouble.NotShown), [new(TerminalSign.OutcomeNotShown, TerminalMood.Warning, null, "r-1")] },
        { "silence is worse than a doubt", Good with { LastSeen = Now.AddMinutes(-11) }, Presence(PaymentTrouble.InDoubt), [new(TerminalSign.Silent, TerminalMood.Bad, Now.AddMinutes(-11))] },
        {
            "another board, until a person has seen to it", With(r => r with { OtherHardware = new("HW2", "10.0.0.9:1", Now.AddDays(-9)) }), null,
            [new(TerminalSign.TakesMoney, TerminalMood.Good), new(TerminalSign.OtherHardware, TerminalMood.Bad, Now.AddDays(-9), "HW2 (10.0.0.9:1)")]
        },
        {
            "configuration refused", Desired(new(2, [], ConfigurationResult.Refused, "sound.volume: 0 to 9", Now)), null,
            [new(TerminalSign.TakesMoney, TerminalMood.Good), new(TerminalSign.ConfigurationRefused, TerminalMood.Bad, Now, "sound.volume: 0 to 9")]
        },
        {
            "configuration damaged", Desired(new(2, [], ConfigurationResult.HashMismatch, null, Now)), null,
            [new(TerminalSign.TakesMoney, TerminalMood.Good), new(TerminalSign.ConfigurationDamaged, TerminalMood.Warning, Now)]
        },
        { "applied", Desired(new(2, Hash, ConfigurationResult.Applied, null, Now)), null, [new(TerminalSign.TakesMoney, TerminalMood.Good)] },
        { "an older one applied", Desired(new(1, Hash, ConfigurationResult.Applied, null, Now)), null, Drifts() },
        { "an older one refused", Desired(new(1, [], ConfigurationResult.Refused, "no", Now)), null, Drifts() },
        { "another hash", Desired(new(2, [9], ConfigurationResult.Applied, null, Now)), null, Drifts() },
        { "nothing reported", Desired(null), null, Drifts() },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Words_fit(string what, TerminalSnapshot terminal, TerminalPresence? presence, TerminalWord[] expected)
    {
        Assert.Equal(expected, TerminalWords.Of(terminal, presence, new TerminalOptions(), Now));
        Assert.NotEmpty(what);
    }

    private static TerminalWord[] Drifts() => [new(TerminalSign.TakesMoney, TerminalMood.Good), new(TerminalSign.ConfigurationDrifts, TerminalMood.Warning)];

    private static TerminalSnapshot With(Func<TerminalRecord, TerminalRecord> change) => Good with { Record = change(Good.Record) };

    private static TerminalSnapshot Desired(ConfigurationReport? reported) =>
        With(r => r with { DesiredVersion = 2, DesiredHash = Hash, DesiredConfiguration = "{}", Reported = reported });

    private static TerminalPresence Presence(PaymentTrouble trouble, DateTimeOffset? heardAt = null) =>
        new("T1", TerminalStatus.Active, true, heardAt ?? Now, trouble, trouble == PaymentTrouble.None ? null : "r-1", TerminalState.Responsive);
}
