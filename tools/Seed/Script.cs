using DeviceHub.Core.Payments;

namespace DeviceHub.Tools.Seed;

/// <summary>What happens to a payment from outside: the channel's answers and people's deeds.</summary>
internal sealed class Script
{
    private static readonly ChannelVerdict NoAnswer = new(Verdict.Unknown, "timeout");
    private static readonly ChannelVerdict NotFound = new(Verdict.NotFound, "ORDERNOTEXIST");
    private static readonly ChannelVerdict Refused = new(Verdict.RefundFailed, "NOTENOUGH", "the account's balance does not suffice");
    private static readonly ChannelVerdict GoneBack = new(Verdict.Refunded, "SUCCESS");

    private static readonly (double, ChannelVerdict)[] Declines =
    [
        (45, new(Verdict.Declined, "NOTENOUGH", "insufficient balance", DeclineReason.InsufficientFunds)),
        (25, new(Verdict.Declined, "AUTHCODEEXPIRE", "the code is too old", DeclineReason.CodeExpired)),
        (12, new(Verdict.Declined, "AUTH_CODE_INVALID", "no such code", DeclineReason.CodeInvalid)),
        (10, new(Verdict.Declined, "USERREFUSED", "the customer cancelled", DeclineReason.CustomerRefused)),
        (8, new(Verdict.Declined, "LIMIT", "over the customer's limit", DeclineReason.Limit)),
    ];

    public required TimeSpan PayTakes { get; init; }

    /// <summary>The channel's answer to a call, by the payment as it then is.</summary>
    public required Func<EffectKind, PaymentState, ChannelVerdict> Answer { get; init; }

    public TimeSpan? CancelAfter { get; init; }

    /// <summary>From an outcome until the terminal says that it is shown; null: it never does.</summary>
    public TimeSpan? ShownAfter { get; init; }

    public (TimeSpan After, long Fen, string Why, string By)? Refund { get; init; }

    /// <param name="stuck">The channel knows nothing of it, ever.</param>
    /// <param name="reroutes">The merchant has another account.</param>
    public static Script Make(Dice dice, long fen, bool stuck, bool reroutes)
    {
        var approved = Approved(dice, fen);
        var took = dice.Between(TimeSpan.FromMilliseconds(180), TimeSpan.FromMilliseconds(dice.Chance(0.05) ? 4000 : 900));
        TimeSpan? shown = dice.Chance(0.992) ? dice.Between(TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(600)) : null;
        if (stuck)
        {
            return new() { PayTakes = Late, Answer = (_, _) => NoAnswer };
        }

        if (reroutes && dice.Chance(0.02))
        {
            return Rerouted(took, shown, approved);
        }

        return dice.Share() switch
        {
            < 0.880 => new() { PayTakes = took, ShownAfter = shown, Answer = (kind, _) => kind == EffectKind.Pay ? approved : GoneBack, Refund = dice.Chance(0.014) ? Wish(dice, fen) : null },
            < 0.930 => Typing(dice, took, shown, approved),
            < 0.972 => Declined(took, shown, dice.Of(Declines)),
            < 0.984 => new() { PayTakes = Late, ShownAfter = shown, Answer = (kind, _) => kind == EffectKind.Pay ? NoAnswer : approved },
            < 0.989 => new() { PayTakes = Late, ShownAfter = shown, Answer = (kind, _) => kind == EffectKind.Pay ? NoAnswer : kind == EffectKind.Reverse ? new(Verdict.Closed, "SUCCESS") : NotFound },
            < 0.9985 => Cancelled(dice, shown),
            < 0.9998 => CameLate(shown, approved, GoneBack),
            _ => CameLate(shown, approved, Refused),
        };
    }

    private static TimeSpan Late => TimeSpan.FromSeconds(10);

    private static ChannelVerdict Approved(Dice dice, long fen)
    {
        var discount = dice.Chance(0.08) ? Math.Min(fen - 1, 100L * (1 + dice.Below(5))) : 0;
        return new(Verdict.Approved, "SUCCESS", PaidFen: fen - discount, DiscountFen: discount, Transaction: "4200" + dice.Digits(20), Payer: "o****" + dice.Digits(4));
    }

    private static (TimeSpan, long, string, string)? Wish(Dice dice, long fen) => (
        dice.Between(TimeSpan.FromMinutes(1), TimeSpan.FromDays(2)),
        dice.Chance(0.7) ? fen : Math.Max(1, fen / 2),
        dice.Of<string>(["returned goods", "wrong amount", "ordered twice", "客户退货", "金额输错"]),
        "user:" + Names.Cashier(dice));

    private static Script Declined(TimeSpan took, TimeSpan? shown, ChannelVerdict verdict) => new() { PayTakes = took, ShownAfter = shown, Answer = (_, _) => verdict };

    /// <summary>The customer types a password.</summary>
    private static Script Typing(Dice dice, TimeSpan took, TimeSpan? shown, ChannelVerdict approved)
    {
        var asked = 1 + dice.Below(4);
        return new()
        {
            PayTakes = took,
            ShownAfter = shown,
            Answer = (kind, state) => kind == EffectKind.Pay || state.Current.Queries < asked ? new(Verdict.Pending, "USERPAYING") : approved,
        };
    }

    private static Script Cancelled(Dice dice, TimeSpan? shown) => new()
    {
        PayTakes = TimeSpan.FromMilliseconds(700),
        ShownAfter = shown,
        CancelAfter = dice.Between(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(25)),
        Answer = (kind, state) => kind == EffectKind.Pay || state.CancelledBy is null ? new(Verdict.Pending, "USERPAYING") : new(Verdict.Closed, "CLOSED"),
    };

    private static Script Rerouted(TimeSpan took, TimeSpan? shown, ChannelVerdict approved) => new()
    {
        PayTakes = took,
        ShownAfter = shown,
        Answer = (_, state) => state.Attempts.Length == 1 ? new(Verdict.Rerouteable, "BANKERROR", "the bank's system is closed for maintenance") : approved,
    };

    /// <summary>Nobody knew of it until it was settled as not charged; then it was.</summary>
    private static Script CameLate(TimeSpan? shown, ChannelVerdict approved, ChannelVerdict refund) => new()
    {
        PayTakes = Late,
        ShownAfter = shown,
        Answer = (kind, state) => kind switch
        {
            EffectKind.Pay => NoAnswer,
            EffectKind.Reverse => new(Verdict.Closed, "SUCCESS"),
            EffectKind.Query => state.IsFinal ? approved : NotFound,
            _ => refund,
        },
    };
}
