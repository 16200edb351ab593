using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Link;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>
/// The cashier's table of the specification, state by state: the bench brings the unit there, a person looks. <c>starting</c> and <c>activation</c> are over
/// before a bench has logged it in.
/// </summary>
internal static class CashierSteps
{
    public static async Task Table(StepContext on)
    {
        await on.Line.LoggedIn(needsKey: true);
        on.Line.Need(JigAction.Scan);
        on.Line.Need(JigAction.Cancel);
        await Sees(on, "CashierReady");
        await FromScanToPaid(on);
        await Cancelled(on);
        (string Result, string Text)[] results =
            [("declined", "CashierDeclined"), ("not-charged", "CashierNotCharged"), ("refunded", "CashierRefunded"), ("already-paid", "CashierAlreadyPaid")];
        foreach (var (result, text) in results)
        {
            await on.Line.Told(MoneySteps.Result(await Scanned(on), result));
            await Sees(on, text);
        }

        await Refused(on);
        if (on.Line.Session.Hello!.Capabilities.Contains(ChargeCases.Capability))
        {
            await Collects(on);
        }

        await on.Line.Told(SealCases.LateOutcome(SealCases.ForgottenId()));
        await Sees(on, "CashierLate");
        await on.Line.Told(new Downlink { Refusal = new Refusal { Code = Refusal.Types.Code.Suspended, Text = MoneySteps.Text("refusal_suspended", "Suspended: call service / 已停用，请联系服务商") } });
        await Sees(on, "CashierSuspended");
        on.Line.Link.Habits = new LinkHabits { Replies = false };
        on.Line.Link.Close(0);
        await on.Line.Expect(h => h.Is(Protocol.Serial.FrameType.Hello), Ms(5000), "HELLO");
        await Sees(on, "CashierNoNetwork");
    }

    private static async Task FromScanToPaid(StepContext on)
    {
        var request = await Scanned(on);
        await Sees(on, "CashierScanned");
        await on.Line.Told(PaymentCases.Accepted(request.RequestId));
        await Sees(on, "CashierAccepted");
        await on.Line.Told(Accepted(request, Protocol.Wire.Accepted.Types.State.WaitingForCustomer));
        await Sees(on, "CashierWaiting");
        await on.Line.Told(new Downlink { InDoubt = new InDoubt { RequestId = request.RequestId, AmountFen = request.AmountFen } });
        await Sees(on, "CashierInDoubt");
        await on.Line.Told(MoneySteps.Result(request, "approved"));
        await Sees(on, "CashierApproved");
    }

    private static async Task Cancelled(StepContext on)
    {
        var request = await Scanned(on);
        await on.Line.Told(PaymentCases.Accepted(request.RequestId));
        await on.Line.Jig.Do(new JigOrder(JigAction.Cancel), on.Line.Cancellation);
        await on.Line.ExpectSaid(Up.PaymentCancel, Hands);
        await on.Line.Told(Accepted(request, Protocol.Wire.Accepted.Types.State.Cancelling));
        await Sees(on, "CashierCancelling");
        await on.Line.Told(MoneySteps.Result(request, "not-charged"));
        await on.Line.ExpectSaid(Up.OutcomeShown, Ms(3000));
    }

    /// <summary>A final refusal, and the question whether it is a second payment, which is answered with no.</summary>
    private static async Task Refused(StepContext on)
    {
        var request = await Scanned(on);
        await on.Line.Told(PaymentCases.Refused(request.RequestId, Refusal.Types.Code.Expired, 0));
        on.Line.Refused.Add(request.RequestId);
        await Sees(on, "CashierRefused");
        request = await Scanned(on);
        var duplicate = PaymentCases.Refused(request.RequestId, Refusal.Types.Code.PossibleDuplicate, 0);
        duplicate.Refusal.OtherRequestId = SealCases.ForgottenId();
        await on.Line.Told(duplicate);
        on.Line.Refused.Add(request.RequestId);
        await Sees(on, "CashierSecondPayment");
        await on.Line.Jig.Do(new JigOrder(JigAction.Cancel), on.Line.Cancellation);
    }

    private static async Task Collects(StepContext on)
    {
        var id = ChargeCases.NewId();
        await ChargeCases.CollectUntilReady(on.Line, id);
        await Sees(on, "CashierCollecting");
        await on.Line.Told(ChargeCases.Cancel(id));
        await Sees(on, "CashierClosedByTill");
    }

    private static Downlink Accepted(PaymentRequest request, Accepted.Types.State state)
    {
        var message = PaymentCases.Accepted(request.RequestId);
        message.Accepted.State = state;
        return message;
    }

    private static Task<PaymentRequest> Scanned(StepContext on) => on.Line.Scan(PaymentCases.Code, PaymentCases.AmountFen);

    private static Task Sees(StepContext on, string text) => UnitSteps.Ask(on, on.Texts[text]);
}
