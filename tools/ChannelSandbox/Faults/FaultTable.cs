using System.Collections.Frozen;
using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Faults;

/// <summary>Every fault by its name, and the amounts that ask for one. README.md has the same table for people; a test compares.</summary>
internal static class FaultTable
{
    /// <summary>900,001 to 900,099 fen answer the code with that row in the dialect's table.</summary>
    public const long FirstCodeFen = 900_000;

    private static readonly (int Ending, Fault Fault, string Says)[] Rows =
    [
        (1, new("no-funds") { Effect = Effect.Refuse, Code = "no-funds" }, "declined: not enough money"),
        (2, new("code-expired") { Effect = Effect.Nothing, Code = "code-expired" }, "declined: the payment code expired"),
        (10, new("password-paid") { Effect = Effect.PasswordThenCharge }, "the payer types a password, then paid"),
        (11, new("password-refused") { Effect = Effect.PasswordThenRefuse }, "the payer is asked for a password, then refuses"),
        (12, new("password-closed") { Effect = Effect.PasswordThenClose }, "the payer is asked for a password, then the order is closed"),
        (13, new("password-forever") { Effect = Effect.PasswordForEver }, "the payer is asked for a password and types none"),
        (20, new("reply-lost") { Effect = Effect.Charge, Answer = Answer.Hang }, "charged, never answered"),
        (21, new("hang-closed") { Effect = Effect.Close, Answer = Answer.Hang }, "not charged, never answered: queries say closed"),
        (22, new("charged-unseen") { Effect = Effect.ChargeUnseen, Answer = Answer.Hang }, "never answered; not found, then charged: a reversal before that is answered and stops nothing"),
        (23, new("not-found-first") { Effect = Effect.Charge, Answer = Answer.Hang, Traits = Traits.NotFoundFirst }, "charged, never answered; the first two queries do not find it"),
        (24, new("slow") { Answer = Answer.Slow }, "charged, answered late"),
        (25, new("charged-late") { Effect = Effect.ChargeLate, Answer = Answer.Hang }, "never answered; known and not charged, then charged unless it is reversed before"),
        (26, new("reset") { Effect = Effect.Charge, Answer = Answer.Reset }, "charged, the connection is reset"),
        (27, new("reset-not-charged") { Effect = Effect.Nothing, Answer = Answer.Reset }, "nothing is done, the connection is reset"),
        (28, new("status-charged") { Effect = Effect.Charge, Answer = Answer.Status, Status = 502 }, "charged, HTTP 502 with a page of HTML"),
        (29, new("status") { Effect = Effect.Nothing, Answer = Answer.Status }, "nothing is done, HTTP 500 with a page of HTML"),
        (30, new("no-permission") { Effect = Effect.Nothing, Code = "no-permission" }, "the merchant may not do this: another path is safe"),
        (31, new("garbage") { Effect = Effect.Charge, Answer = Answer.Garbage }, "charged, answered with noise"),
        (32, new("garbage-not-charged") { Effect = Effect.Nothing, Answer = Answer.Garbage }, "nothing is done, answered with noise"),
        (33, new("half") { Effect = Effect.Charge, Answer = Answer.Half }, "charged, half an answer"),
        (34, new("bad-signature") { Effect = Effect.Charge, Answer = Answer.BadSignature }, "charged, and the answer's signature is wrong"),
        (35, new("forged-refusal") { Effect = Effect.Charge, Answer = Answer.BadSignature, Code = "no-funds" }, "charged, and an answer with a wrong signature says declined"),
        (36, new("hostile") { Effect = Effect.Charge, Answer = Answer.Hostile }, "charged, answered with a document type and an entity (XML) or 500 levels (JSON)"),
        (37, new("huge") { Effect = Effect.Charge, Answer = Answer.Huge }, "charged, answered with 100 MB"),
        (38, new("empty") { Effect = Effect.Charge, Answer = Answer.Empty }, "charged, an empty answer"),
        (39, new("rate-limit") { Effect = Effect.Nothing, Code = "rate-limit" }, "nothing is done: too many calls"),
        (40, new("reversal-ignored") { Effect = Effect.Charge, Answer = Answer.Hang, Traits = Traits.ReversalIgnored | Traits.QueriesFail }, "charged, never answered; queries say system error; the first reversal is answered and does nothing"),
        (41, new("late-success") { Effect = Effect.ChargeUnseen, Answer = Answer.Hang, Traits = Traits.LateSuccess }, "never answered; not found until some time after the last reversal, then charged"),
        (42, new("late-success-refund-lost") { Effect = Effect.ChargeUnseen, Answer = Answer.Hang, Traits = Traits.LateSuccess | Traits.RefundLost }, "as 41, and the first refund is not answered and not done"),
        (43, new("late-success-refund-reply-lost") { Effect = Effect.ChargeUnseen, Answer = Answer.Hang, Traits = Traits.LateSuccess | Traits.RefundReplyLost }, "as 41, and the first refund is done and not answered"),
        (44, new("refund-slow") { Traits = Traits.RefundSlow }, "paid; its refunds are under way for a while, then done"),
        (45, new("refund-fails") { Traits = Traits.RefundFails }, "paid; its refunds fail"),
        (46, new("refund-fails-slowly") { Traits = Traits.RefundSlow | Traits.RefundFails }, "paid; its refunds are under way for a while, then fail"),
        (47, new("notice-twice") { Traits = Traits.NoticeTwice }, "paid; every notice comes twice"),
        (48, new("notices-reordered") { Traits = Traits.NoticesReordered }, "paid; its notices come late, the newest first"),
        (49, new("notices-lost") { Traits = Traits.NoticesLost }, "paid; no notice comes"),
        (50, new("unknown-code") { Effect = Effect.Close, Code = "SANDBOX_UNHEARD_OF" }, "a code that is in no table; not charged: queries say closed"),
        (51, new("system-error") { Effect = Effect.Charge, Code = "system-error" }, "charged, answered with the channel's system error"),
        (52, new("system-error-not-charged") { Effect = Effect.Close, Code = "system-error" }, "not charged, answered with the channel's system error"),
        (53, new("notices-forged") { Traits = Traits.NoticesForged }, "paid; its notices are signed by a key that is not the channel's"),
        (54, new("notices-wrong-amount") { Traits = Traits.NoticesWrongAmount }, "paid; its notices are rightly signed and say one fen more"),
    ];

    private static readonly Fault?[] ByEnding = Build();

    /// <summary>Those that only make sense when asked for by name.</summary>
    private static readonly Fault[] Others =
    [
        new("hang") { Effect = Effect.Nothing, Answer = Answer.Hang },
        new("no-signature") { Answer = Answer.NoSignature },
        new("code") { Code = "system-error" },
    ];

    public static FrozenDictionary<string, Fault> ByName { get; } = Rows.Select(r => r.Fault).Concat(Others).ToFrozenDictionary(f => f.Name);

    /// <summary>For the text of <c>--help</c> and for the test that compares README.md.</summary>
    public static IEnumerable<(int Ending, string Name, string Says)> Table => Rows.Select(r => (r.Ending, r.Fault.Name, r.Says));

    /// <summary>Null: nothing goes wrong with such an amount.</summary>
    public static Fault? ByAmount(long fen) => ByEnding[fen % 100];

    /// <summary>0: not an amount that asks for a code.</summary>
    public static int CodeRow(long fen) => fen is > FirstCodeFen and < FirstCodeFen + 100 ? (int)(fen - FirstCodeFen) : 0;

    private static Fault?[] Build()
    {
        var faults = new Fault?[100];
        foreach (var (ending, fault, _) in Rows)
        {
            faults[ending] = fault;
        }

        return faults;
    }
}
