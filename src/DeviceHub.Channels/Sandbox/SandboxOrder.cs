using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Sandbox;

internal enum SandboxOrderState { Taken, Charged, Refused, Closed }

/// <summary>One order of the bank, folded from its book.</summary>
internal sealed class SandboxOrder(string number, long amountFen, SandboxRule rule, string? account)
{
    private List<string>? refunds;

    public string Number => number;

    public long AmountFen => amountFen;

    public SandboxRule Rule => rule;

    public SandboxOrderState State { get; private set; }

    /// <summary>When it will be charged or refused by itself.</summary>
    public DateTimeOffset? Due { get; private set; }

    public int Charges { get; private set; }

    public long NetFen { get; private set; }

    public int IgnoredReversals { get; private set; }

    public int IgnoredRefunds { get; private set; }

    /// <summary>Answered in this process; not in the book.</summary>
    public int Queries { get; set; }

    public IReadOnlyList<string> Refunds => refunds ?? (IReadOnlyList<string>)[];

    public DeclineReason Refusal => rule switch
    {
        SandboxRule.InsufficientFunds => DeclineReason.InsufficientFunds,
        SandboxRule.CodeExpired => DeclineReason.CodeExpired,
        _ => DeclineReason.CustomerRefused,
    };

    public SandboxEntry Entry(DateTimeOffset at, SandboxEntryKind kind) => new(at, kind, number, rule, amountFen, Account: account);

    public void Apply(in SandboxEntry entry)
    {
        Due = entry.Due;
        switch (entry.Kind)
        {
            case SandboxEntryKind.Charged:
                State = SandboxOrderState.Charged;
                Charges++;
                NetFen += amountFen;
                break;
            case SandboxEntryKind.Refused:
                State = SandboxOrderState.Refused;
                break;
            case SandboxEntryKind.Closed:
                State = SandboxOrderState.Closed;
                break;
            case SandboxEntryKind.ReversalIgnored:
                IgnoredReversals++;
                break;
            case SandboxEntryKind.RefundIgnored:
                IgnoredRefunds++;
                break;
            case SandboxEntryKind.PaidBack:
                NetFen -= entry.AmountFen;
                if (entry.Number is { } refund)
                {
                    (refunds ??= []).Add(refund);
                }

                break;
        }
    }
}
