using DeviceHub.Tests;
using DeviceHub.Tools.Bench.Plans;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>Answers as a person would who looks at what the terminal shows last; a question that it does not know is an error.</summary>
internal sealed class ScreenReader(CKitUnit unit, DeviceHub.Tools.Bench.Texts texts) : IOperator
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    private static readonly (string Text, string Shows)[] States =
    [
        ("CashierReady", "READY"), ("CashierScanned", "SENDING"), ("CashierAccepted", "ACCEPTED"), ("CashierWaiting", "WAITING"), ("CashierInDoubt", "IN_DOUBT"),
        ("CashierApproved", "APPROVED"), ("CashierCancelling", "CANCELLING"), ("CashierDeclined", "DECLINED"), ("CashierNotCharged", "NOT_CHARGED"),
        ("CashierRefunded", "REFUNDED"), ("CashierAlreadyPaid", "ALREADY_PAID"), ("CashierRefused", "REFUSED"), ("CashierSecondPayment", "SECOND_PAYMENT"),
        ("CashierCollecting", "COLLECTING"), ("CashierClosedByTill", "CLOSED_BY_TILL"), ("CashierLate", "LATE"), ("CashierSuspended", "SUSPENDED"),
        ("CashierNoNetwork", "NO_NETWORK"),
    ];

    private static readonly (string Question, string Shows)[] OfPlans =
    [
        ("Did it say 'paid'", "show APPROVED"), ("Did it show that it was not paid", "show DECLINED"), ("Does the screen show exactly", "show LATE"),
        ("Shown as a late result", "show LATE"), ("Do all keys answer?", ""), ("Is the speaker loud", ""), ("How soon after a scan", ""), ("Do light, keys, screen", ""),
    ];

    public bool IsThere => true;

    public async Task<bool> Ask(string question, CancellationToken cancellation)
    {
        var state = States.FirstOrDefault(s => texts[s.Text] == question).Shows;
        var shows = state is not null ? "show " + state : OfPlans.Single(q => question.StartsWith(q.Question, StringComparison.Ordinal)).Shows;
        if (state == "READY")
        {
            await unit.Terminal.Types("ok");
        }

        try
        {
            await Eventually.Holds(() => LastShown().StartsWith(shows, StringComparison.Ordinal), "the screen shows it", Look);
        }
        catch (TimeoutException)
        {
            return false;
        }

        // Both refuse a scan, as the question says.
        return state is not ("SUSPENDED" or "NO_NETWORK") || await RefusesAScan();
    }

    private string LastShown() => unit.Terminal.Output.Split('\n').LastOrDefault(l => l.StartsWith("show ", StringComparison.Ordinal)) ?? "";

    private async Task<bool> RefusesAScan()
    {
        var from = unit.Terminal.Output.Split('\n').Length;
        await unit.Terminal.Types("scan 134567890123456789 100");
        return (await unit.Terminal.Says("scan ", from)).Line == "scan not now";
    }
}
