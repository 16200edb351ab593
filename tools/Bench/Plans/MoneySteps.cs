using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Codes;
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
        var (result, fen, within) = (on.Step.Text("result"), (long)Math.Round(on.Step.Number("amount") * 100), on.Step.Number("shown-ms"));
        await on.Rig.Ready(toPay: true);
        var request = await on.Rig.ScanFor(result, on.Step.Text("code"), fen);
        on.Rig.Measure("scan to request", request.AgeMs, "ms", atMost: on.Step.Number("request-ms"));
        var took = await on.Rig.Conclude(request, result, Ms(within + 2000));
        on.Rig.Measure("outcome to shown", took.TotalMilliseconds, "ms", atMost: within);
        await UnitSteps.Ask(on);
    }

    /// <summary>Each code in each symbology, as often as the plan says; a symbology that is read badly is seen as such.</summary>
    public static async Task DecodeRate(StepContext on)
    {
        await on.Line.LoggedIn(needsKey: true);
        on.Line.Need(JigAction.Scan);
        var (codes, times) = (on.Step.List("codes"), (int)on.Step.Number("times"));
        var read = new Dictionary<Symbology, int>();
        foreach (var symbology in on.Step.List("symbologies").Select(name => StepKinds.Symbologies[name]))
        {
            read[symbology] = 0;
            foreach (var code in Enumerable.Repeat(codes, times).SelectMany(c => c))
            {
                read[symbology] += await IsRead(on, new JigOrder(JigAction.Scan, code, 100, symbology, codes.ToList().IndexOf(code) + 1)) ? 1 : 0;
            }
        }

        foreach (var (symbology, right) in read)
        {
            on.Line.Measure($"{on.Texts["Symbology" + symbology]}: read right, of {codes.Count * times}", 100.0 * right / (codes.Count * times), "%", on.Step.Number("at-least-percent"));
        }
    }

    private static async Task<bool> IsRead(StepContext on, JigOrder order)
    {
        await on.Line.Jig.Do(order, on.Line.Cancellation);
        var heard = await on.Line.Next(h => h.Has(Up.PaymentRequest), TimeSpan.FromSeconds(on.Step.Number("each-s")));
        if (heard?.Said?.Message?.PaymentRequest is not { } request)
        {
            return false;
        }

        await on.Line.Session.Tell(PaymentCases.Approved(request));
        await on.Line.Next(h => h.Has(Up.OutcomeShown), Ms(3000));
        return request.PaymentCode == order.Code;
    }

    /// <summary>A text on the unit's screen, with characters that few fonts have, for a person to compare.</summary>
    public static async Task Show(StepContext on)
    {
        await on.Rig.Show(on.Step.Text("text"));
        await UnitSteps.Ask(on);
        if (on.Step.Text("ask").Length == 0)
        {
            await UnitSteps.Ask(on, on.Texts.Format("AskText", on.Step.Text("text")));
        }
    }

    public static Downlink Result(PaymentRequest request, string result)
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
    public static Text Text(string id, string text) => new() { Id = id, Text_ = ByteString.CopyFromUtf8(text) };
}
