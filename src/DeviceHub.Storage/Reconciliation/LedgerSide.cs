using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;

namespace DeviceHub.Storage;

/// <summary>What our books say of an account's attempts, in reads that are short each.</summary>
/// <param name="sharing">Accounts whose payments are in the account's bill, too.</param>
/// <param name="feeBasisPoints">What the account's channel was agreed to take; 0: nobody said.</param>
internal sealed class LedgerSide(
    SearchPool reads, LedgerKeys keys, string account, IReadOnlyList<string> sharing, DateOnly day, TimeSpan margin, bool previousRead, bool nextRead, int feeBasisPoints)
{
    /// <summary>Judges orders of the bill.</summary>
    public ValueTask<Judgement> Judge(IReadOnlyList<BillOrder> orders) => reads.Read((this, orders), static (db, x) =>
    {
        var (judgement, around) = (new Judgement(), x.Item1.Around(db));
        foreach (var order in x.orders)
        {
            var ours = OwnOrder.StartOf(order.Number) is not null;
            var attempt = ours ? x.Item1.Find(db, order.Number) : null;
            Classification.JudgeBilled(order, attempt, ours && attempt is null ? x.Item1.Elsewhere(db, order.Number) : null, around, judgement);
        }

        return judgement;
    });

    /// <summary>Judges attempts that are not in the bill.</summary>
    public ValueTask<Judgement> JudgeUnbilled(IReadOnlyList<string> orders) => reads.Read((this, orders), static (db, x) =>
    {
        var (judgement, around) = (new Judgement(), x.Item1.Around(db));
        foreach (var number in x.orders)
        {
            if (x.Item1.Find(db, number) is { } attempt && OwnOrder.StartOf(number) is { } startedAt)
            {
                Classification.JudgeUnbilled(attempt, startedAt, around, judgement);
            }
        }

        return judgement;
    });

    public ValueTask<Judgement> JudgeUnbilled(IReadOnlyList<(string Order, string Refund)> refunds) => reads.Read((this, refunds), static (db, x) =>
    {
        var (judgement, around) = (new Judgement(), x.Item1.Around(db));
        foreach (var (order, number) in x.refunds)
        {
            if (x.Item1.Find(db, order) is { } attempt && attempt.Refunds.FirstOrDefault(r => r.Number == number) is { } refund)
            {
                Classification.JudgeUnbilledRefund(attempt, refund, around, judgement);
            }
        }

        return judgement;
    });

    /// <summary>The day's charged attempts after a number, in order.</summary>
    public ValueTask<List<string>> Charged(string after, int limit) => reads.Read((account, day, after, limit), static (db, x) =>
    {
        var rows = db.Prepare("SELECT order_number FROM attempt WHERE account = ?1 AND order_number > ?2 AND order_number < ?3 AND money = 2 ORDER BY order_number LIMIT ?4")
            .Bind(1, x.account).Bind(2, x.after).Bind(3, OwnOrder.FirstOf(BillDay.End(x.day))).Bind(4, x.limit);
        var numbers = new List<string>();
        while (rows.Next())
        {
            numbers.Add(rows.Text(0));
        }

        return numbers;
    });

    /// <summary>The refunds that were begun on the day and are done, after one of them, in order.</summary>
    public ValueTask<List<(DateTimeOffset At, string Order, string Refund)>> Refunded((DateTimeOffset At, string Order, string Refund) after, int limit) =>
        reads.Read((account, day, after, limit), static (db, x) =>
        {
            var rows = db.Prepare(
                """
                SELECT started_at, order_number, refund_number FROM attempt_refund
                WHERE account = ?1 AND (started_at, order_number, refund_number) > (?2, ?3, ?4) AND started_at < ?5 AND money = 1
                ORDER BY started_at, order_number, refund_number LIMIT ?6
                """)
                .Bind(1, x.account).Bind(2, x.after.At).Bind(3, x.after.Order).Bind(4, x.after.Refund).Bind(5, BillDay.End(x.day)).Bind(6, x.limit);
            var refunds = new List<(DateTimeOffset, string, string)>();
            while (rows.Next())
            {
                refunds.Add((rows.Time(0), rows.Text(1), rows.Text(2)));
            }

            return refunds;
        });

    private BillsAround Around(PreparedConnection db) => new(day, margin, previousRead, nextRead, stray =>
    {
        var rows = db.Prepare("SELECT day FROM bill_stray WHERE account = ?1 AND order_number = ?2 AND refund_number = ?3 AND kind = ?4 AND day <> ?5 ORDER BY day LIMIT 1")
            .Bind(1, account).Bind(2, stray.OrderNumber).Bind(3, stray.RefundNumber).Bind(4, (long)stray.Kind).Bind(5, ReconciliationBook.Text(day));
        DateOnly? found = rows.Next() ? ReconciliationBook.Day(rows.Text(0)) : null;
        rows.Reset();
        return found;
    });

    private LedgerAttempt? Find(PreparedConnection db, string orderNumber)
    {
        var row = db.Prepare(
            """
            SELECT a.number, a.money, a.refunds, p.amount_fen, p.serial_number, p.request_id, p.attempts, p.seq, p.merchant_id, p.order_number
            FROM attempt a JOIN payment p ON p.seq = a.payment_seq
            WHERE a.account = ?1 AND a.order_number = ?2
            """)
            .Bind(1, account).Bind(2, orderNumber);
        if (!row.Next())
        {
            return null;
        }

        var (number, money, refundCount) = ((int)row.Long(0), (AttemptMoney)row.Long(1), row.Long(2));
        var (fen, payment, attempts, seq) = (row.Long(3), new PaymentId(row.Text(4), row.Text(5)), row.Long(6), row.Long(7));
        MerchantOrder? order = row.IsNull(9) ? null : new MerchantOrder(row.Text(8), row.Text(9));
        row.Reset();
        IReadOnlyList<LedgerRefund> refunds = refundCount == 0 ? [] : Refunds(db, orderNumber);
        var back = refunds.Where(r => r.Money != RefundMoney.Failed).Sum(r => r.AmountFen);
        var twice = money is AttemptMoney.Open or AttemptMoney.Returned || back >= fen ? null : Twice(db, payment, seq, number, money, attempts, order);
        long? fee = feeBasisPoints == 0 ? null : (long)Math.Round(fen * feeBasisPoints / 10_000m, MidpointRounding.AwayFromZero);
        return new LedgerAttempt(orderNumber, payment, number, fen, money, fee, twice, refunds);
    }

    private List<LedgerRefund> Refunds(PreparedConnection db, string orderNumber)
    {
        var rows = db.Prepare("SELECT refund_number, amount_fen, money, started_at FROM attempt_refund WHERE account = ?1 AND order_number = ?2 ORDER BY refund_number")
            .Bind(1, account).Bind(2, orderNumber);
        var refunds = new List<LedgerRefund>();
        while (rows.Next())
        {
            refunds.Add(new(rows.Text(0), rows.Long(1), (RefundMoney)rows.Long(2), rows.Time(3)));
        }

        return refunds;
    }

    /// <summary>Both would break an invariant (I4, I13), so they are looked for in the ledger itself and only where they could be.</summary>
    private DifferenceReason? Twice(PreparedConnection db, PaymentId payment, long seq, int number, AttemptMoney money, long attempts, MerchantOrder? order)
    {
        if (attempts > 1 && LedgerReads.Fold(db, seq, payment) is { } state
            && (state.Outcome is { Result: PaymentResult.Approved } outcome ? outcome.Attempt != number : state.Attempts.Any(a => a.Number < number && IsKept(state, a))))
        {
            return DifferenceReason.PaymentPaidTwice;
        }

        return money == AttemptMoney.Charged && order is { } own && keys.Holder(db, own) is { } other && other != payment
            && LedgerReads.Fold(db, keys, other) is { Outcome.Result: PaymentResult.Approved } ? DifferenceReason.OrderPaidTwice : null;
    }

    private static bool IsKept(PaymentState state, AttemptState attempt) =>
        attempt.Fate == AttemptFate.Charged && !state.Refunds.Any(r => r.Attempt == attempt.Number && r.Standing != RefundStanding.Failed);

    /// <summary>Null: our books have the number nowhere.</summary>
    private DifferenceReason? Elsewhere(PreparedConnection db, string orderNumber) =>
        sharing.Any(other => db.Prepare("SELECT 1 FROM attempt WHERE account = ?1 AND order_number = ?2").Bind(1, other).Bind(2, orderNumber).Any()) ? DifferenceReason.SharedBill
        : db.Prepare("SELECT 1 FROM channel_order WHERE number = ?1").Bind(1, orderNumber).Any() ? DifferenceReason.OtherAccount
        : null;
}
