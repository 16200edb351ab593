using System.Globalization;
using DeviceHub.Protocol.Wire;
using Down = DeviceHub.Protocol.Wire.Downlink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Emulation;

/// <summary>An emulated terminal's payment and charge; README.md, "A payment" and "A charge from the till". All of it is RAM.</summary>
internal sealed class TerminalPayments(Fault fault, Action<string> show)
{
    private const int TimeToLiveMs = 30_000;
    private const int QueryAfterMs = 30_000;

    private static readonly int[] RepeatAfterMs = [3000, 6000, 12_000];

    private readonly Dictionary<string, uint> shown = new(StringComparer.Ordinal);
    private Payment? open;
    private Charge? charge;
    private string epoch = "";
    private int counter;

    private sealed class Payment
    {
        public required string Id { get; init; }
        public required string Code { get; init; }
        public required long AmountFen { get; init; }
        public required long ScannedAt { get; init; }
        public string ChargeId { get; init; } = "";
        public string OrderNumber { get; init; } = "";

        /// <summary>Accepted or in doubt: it is asked about, not sent again.</summary>
        public bool InLedger { get; set; }
        public bool CancelWanted { get; set; }
        public int Sends { get; set; }
        public long NextAt { get; set; }
    }

    private sealed record Charge(string Id, long AmountFen, string OrderNumber, long EndsAt);

    public IEnumerable<string> OpenIds => open is null ? [] : [open.Id];

    /// <summary>A session's ids begin.</summary>
    public void Begin(string requestEpoch)
    {
        epoch = requestEpoch;
        counter = 0;
    }

    /// <summary>Synced: what was sent is sent again, the rest is asked about.</summary>
    public void Ready(long nowMs)
    {
        if (open is not null)
        {
            (open.Sends, open.NextAt) = (0, nowMs);
        }
    }

    public void Disconnected()
    {
        charge = null;
        open = fault == Fault.ForgetsPayments ? null : open;
    }

    public void Scan(string code, long amountFen, long nowMs)
    {
        if (open is not null)
        {
            show("do not scan again");
            return;
        }

        open = new Payment
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"{epoch}-{++counter}"),
            Code = code,
            AmountFen = charge?.AmountFen ?? amountFen,
            ChargeId = charge?.Id ?? "",
            OrderNumber = charge?.OrderNumber ?? "",
            ScannedAt = nowMs,
            NextAt = nowMs,
        };
        charge = null;
        show("sending");
    }

    public void Cancel(long nowMs)
    {
        if (open is not null)
        {
            (open.CancelWanted, open.NextAt) = (true, open.InLedger ? nowMs : open.NextAt);
        }
    }

    public void Poll(Queue<Uplink> outbox, long nowMs)
    {
        if (charge is { } late && nowMs >= late.EndsAt && fault != Fault.IgnoresExpiry)
        {
            charge = null;
            outbox.Enqueue(new Uplink { CollectEnded = new CollectEnded { ChargeId = late.Id, Reason = CollectEnded.Types.Reason.Expired } });
            show("ready");
        }

        if (open is not { } payment || nowMs < payment.NextAt || outbox.Count > 0)
        {
            return;
        }

        if (payment.InLedger)
        {
            payment.NextAt = nowMs + QueryAfterMs;
            outbox.Enqueue(payment.CancelWanted
                ? new Uplink { PaymentCancel = new PaymentCancel { RequestId = payment.Id } }
                : new Uplink { PaymentQuery = new PaymentQuery { RequestId = payment.Id } });
            payment.CancelWanted = false;
            return;
        }

        payment.NextAt = nowMs + RepeatAfterMs[Math.Min(payment.Sends++, RepeatAfterMs.Length - 1)];
        outbox.Enqueue(new Uplink
        {
            PaymentRequest = new PaymentRequest
            {
                RequestId = payment.Id,
                AmountFen = (ulong)payment.AmountFen,
                Currency = "CNY",
                PaymentCode = payment.Code,
                ChargeId = payment.ChargeId,
                OrderNumber = payment.OrderNumber,
                AgeMs = (uint)(nowMs - payment.ScannedAt),
                TimeToLiveMs = TimeToLiveMs,
            },
        });
    }

    public void Take(Downlink message, Queue<Uplink> outbox, long hubNowMs, long nowMs)
    {
        switch (message.BodyCase)
        {
            case Down.Accepted when IsOpen(message.Accepted.RequestId):
                InLedger(nowMs, message.Accepted.State == Accepted.Types.State.WaitingForCustomer ? "customer: enter password" : "processing");
                break;
            case Down.InDoubt when IsOpen(message.InDoubt.RequestId):
                InLedger(nowMs, "UNKNOWN. DO NOT SCAN AGAIN");
                break;
            case Down.Outcome:
                Show(message.Outcome, outbox);
                break;
            case Down.Refusal when IsOpen(message.Refusal.RequestId):
                Refused(message.Refusal, nowMs);
                break;
            case Down.Collect:
                Collect(message.Collect, outbox, hubNowMs, nowMs);
                break;
            case Down.CollectCancel when charge?.Id == message.CollectCancel.ChargeId:
                charge = null;
                show("closed by the till");
                break;
        }
    }

    private bool IsOpen(string id) => open?.Id == id;

    private void InLedger(long nowMs, string text)
    {
        open!.InLedger = true;
        open.NextAt = open.CancelWanted ? nowMs : nowMs + QueryAfterMs;
        show(text);
    }

    private void Show(Outcome outcome, Queue<Uplink> outbox)
    {
        if (!shown.TryGetValue(outcome.RequestId, out var revision) || outcome.Revision > revision)
        {
            var amount = (outcome.PaidFen / 100m).ToString("0.00", CultureInfo.InvariantCulture);
            show((IsOpen(outcome.RequestId) && !outcome.Late ? "" : "earlier payment: ") + outcome.Result switch
            {
                Outcome.Types.Result.Approved => $"paid {amount}",
                Outcome.Types.Result.Declined => $"not paid: {outcome.Reason}",
                Outcome.Types.Result.NotCharged => "not charged",
                Outcome.Types.Result.Refunded => "refunded",
                _ => "unknown",
            });
            shown[outcome.RequestId] = outcome.Revision;
        }

        open = IsOpen(outcome.RequestId) ? null : open;
        outbox.Enqueue(new Uplink { OutcomeShown = new OutcomeShown { RequestId = outcome.RequestId, Revision = outcome.Revision } });
    }

    private void Refused(Refusal refusal, long nowMs)
    {
        if (refusal.Code == Refusal.Types.Code.UnknownPayment)
        {
            (open!.InLedger, open.NextAt, open.Sends) = (false, nowMs, 0);
        }
        else if (refusal.RetryAfterMs > 0)
        {
            open!.NextAt = nowMs + refusal.RetryAfterMs;
        }
        else
        {
            show($"refused: {refusal.Code}");
            open = null;
        }
    }

    private void Collect(Collect collect, Queue<Uplink> outbox, long hubNowMs, long nowMs)
    {
        var age = Math.Max(0, hubNowMs - (long)collect.SentTimeMs);
        var left = collect.TimeToLiveMs - age;
        if (left <= 0 && fault != Fault.IgnoresExpiry)
        {
            return;
        }

        if (open is not null)
        {
            outbox.Enqueue(open.ChargeId == collect.ChargeId
                ? new Uplink { Collecting = new Collecting { ChargeId = collect.ChargeId } }
                : new Uplink { CollectEnded = new CollectEnded { ChargeId = collect.ChargeId, Reason = CollectEnded.Types.Reason.Busy } });
            return;
        }

        charge = new Charge(collect.ChargeId, (long)collect.AmountFen, collect.OrderNumber, nowMs + left);
        outbox.Enqueue(new Uplink { Collecting = new Collecting { ChargeId = collect.ChargeId } });
        show($"scan {(collect.AmountFen / 100m).ToString("0.00", CultureInfo.InvariantCulture)}");
    }
}
