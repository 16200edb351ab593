using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Conformance;
using Google.Protobuf;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>Scans, payments, and what the cashier sees of them.</summary>
internal static class MoneySteps
{
    /// <summary>A payment as the cashier has it, from the scan to what is shown.</summary>
    public static async Task Payment(StepContext on)
    {
        var (code, fen) = (on.Step.Text("code"), (long)Math.Round(on.Step.Number("amount") * 100));
        await on.Rig.LoggedIn(needsKey: true);
        var request = await on.Rig.Scan(code, fen);
        on.Rig.Measure("scan to request", request.AgeMs, "ms", atMost: on.Step.Number("request-ms"));
        if (on.Step.Text("result") is "in-doubt" or "late")
        {
            await on.Rig.Told(new Downlink { InDoubt = new InDoubt { RequestId = request.RequestId, AmountFen = request.AmountFen } });
            await on.Rig.Quiet(h => h.Has(Up.PaymentRequest), Ms(4000), "the request was sent again while in doubt");
        }

        var from = Now;
        await on.Rig.Told(Result(request, on.Step.Text("result")));
        var shown = await on.Rig.Expect(h => h.Has(Up.OutcomeShown), Ms(on.Step.Number("shown-ms") + 2000), "outcome_shown");
        Assert(shown.Said!.IsGood, "outcome_shown is not sealed well");
        on.Rig.Measure("outcome to shown", (shown.At - from).TotalMilliseconds, "ms", atMost: on.Step.Number("shown-ms"));
        await UnitSteps.Ask(on);
    }

    public static async Task DecodeRate(StepContext on)
    {
        await on.Rig.LoggedIn(needsKey: true);
        on.Rig.Need(JigAction.Scan);
        var (codes, read) = (on.Step.List("codes"), 0);
        foreach (var code in codes)
        {
            await on.Rig.Jig.Do(new JigOrder(JigAction.Scan, code, 100), on.Rig.Cancellation);
            var heard = await on.Rig.Next(h => h.Has(Up.PaymentRequest), TimeSpan.FromSeconds(on.Step.Number("each-s")));
            if (heard?.Said?.Message?.PaymentRequest is { } request)
            {
                read += request.PaymentCode == code ? 1 : 0;
                await on.Rig.Session.Tell(PaymentCases.Approved(request));
                await on.Rig.Next(h => h.Has(Up.OutcomeShown), Ms(3000));
            }
        }

        on.Rig.Measure($"read right, of {codes.Count}", 100.0 * read / codes.Count, "%", on.Step.Number("at-least-percent"));
    }

    /// <summary>The cashier's table of the specification, state by state: a person looks.</summary>
    public static async Task Cashier(StepContext on)
    {
        await on.Rig.LoggedIn(needsKey: true);
        await UnitSteps.Ask(on, on.Texts["CashierReady"]);
        var request = await on.Rig.Scan(PaymentCases.Code, PaymentCases.AmountFen);
        await UnitSteps.Ask(on, on.Texts["CashierScanned"]);
        await on.Rig.Told(PaymentCases.Accepted(request.RequestId));
        await UnitSteps.Ask(on, on.Texts["CashierAccepted"]);
        var waiting = PaymentCases.Accepted(request.RequestId);
        waiting.Accepted.State = Accepted.Types.State.WaitingForCustomer;
        await on.Rig.Told(waiting);
        await UnitSteps.Ask(on, on.Texts["CashierWaiting"]);
        await on.Rig.Told(new Downlink { InDoubt = new InDoubt { RequestId = request.RequestId, AmountFen = request.AmountFen } });
        await UnitSteps.Ask(on, on.Texts["CashierInDoubt"]);
        await on.Rig.Told(Result(request, "approved"));
        await UnitSteps.Ask(on, on.Texts["CashierApproved"]);
        (string Result, string Text)[] others =
            [("declined", "CashierDeclined"), ("not-charged", "CashierNotCharged"), ("refunded", "CashierRefunded"), ("already-paid", "CashierAlreadyPaid")];
        foreach (var (result, text) in others)
        {
            var next = await on.Rig.Scan(PaymentCases.Code, PaymentCases.AmountFen);
            await on.Rig.Told(Result(next, result));
            await UnitSteps.Ask(on, on.Texts[text]);
        }

        await on.Rig.Told(SealCases.LateOutcome(SealCases.ForgottenId()));
        await UnitSteps.Ask(on, on.Texts["CashierLate"]);
        await on.Rig.Told(new Downlink { Refusal = new Refusal { Code = Refusal.Types.Code.Suspended, Text = Text("refusal_suspended", "Suspended: call service / 已停用，请联系服务商") } });
        await UnitSteps.Ask(on, on.Texts["CashierSuspended"]);
    }

    /// <summary>A text on the unit's screen, with characters that few fonts have, for a person to compare.</summary>
    public static async Task Show(StepContext on)
    {
        await on.Rig.LoggedIn(needsKey: true);
        var late = SealCases.LateOutcome(SealCases.ForgottenId());
        late.Outcome.Text = Text("bench", on.Step.Text("text"));
        await on.Rig.Told(late);
        await on.Rig.Expect(h => h.Has(Up.OutcomeShown), Ms(5000), "outcome_shown");
        await UnitSteps.Ask(on);
        if (on.Step.Text("ask").Length == 0)
        {
            await UnitSteps.Ask(on, on.Texts.Format("AskText", on.Step.Text("text")));
        }
    }

    private static Downlink Result(PaymentRequest request, string result)
    {
        var message = PaymentCases.Approved(request);
        var outcome = message.Outcome;
        outcome.Late = result == "late";
        switch (result)
        {
            case "declined":
                (outcome.Result, outcome.Reason, outcome.PaidFen) = (Outcome.Types.Result.Declined, DeclineReason.InsufficientFunds, 0);
                outcome.Text = Text("declined_insufficient_funds", "Not paid: another card / 未支付");
                break;
            case "not-charged":
                (outcome.Result, outcome.PaidFen, outcome.Text) = (Outcome.Types.Result.NotCharged, 0, Text("not_charged", "Not charged / 未扣款"));
                break;
            case "refunded":
                (outcome.Result, outcome.PaidFen, outcome.Text) = (Outcome.Types.Result.Refunded, 0, Text("refunded", "Refunded / 已退款"));
                break;
            case "already-paid":
                (outcome.PaidBy, outcome.Text) = ($"BENCH/{SealCases.ForgottenId()}", Text("already_paid", "Already paid / 该订单已支付"));
                break;
        }

        return message;
    }

    /// <summary>At most 120 bytes.</summary>
    private static Text Text(string id, string text) => new() { Id = id, Text_ = ByteString.CopyFromUtf8(text) };
}
