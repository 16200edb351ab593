using System.Collections.Immutable;
using System.Globalization;
using DeviceHub.Core.Payments;

namespace DeviceHub.Storage;

/// <summary>
/// What the rows of one transaction change in the payments by the minute, which are payments counted by the minute of their acceptance, as their rows stand. A payment's share of its minute follows from its row alone, so what is
/// added is the share of the new row less that of the old one: a row that is written again changes nothing, and a count is exact after any crash.
/// </summary>
internal sealed class PaymentMinutes
{
    /// <summary>In the order of the table, without the minute.</summary>
    private const int Accepted = 0;
    private const int Approved = 1;
    private const int Declined = 2;
    private const int NotCharged = 3;
    private const int Refunded = 4;
    private const int InDoubt = 5;
    private const int ApprovedFen = 6;
    private const int Times = 7;

    private const int DeletedAtOnce = 1_000;

    /// <summary>The times from scan to result, one column for each of <see cref="ResultTimes.LimitsMs"/> and one for longer ones: <c>ms_50</c>, ..., <c>ms_60000</c>, <c>ms_over</c>.</summary>
    public static readonly ImmutableArray<string> TimeColumns =
        [.. ResultTimes.LimitsMs.Select(limit => string.Create(CultureInfo.InvariantCulture, $"ms_{limit}")), "ms_over"];

    private static readonly string[] Columns = ["accepted", "approved", "declined", "not_charged", "refunded", "in_doubt", "approved_fen", .. TimeColumns];

    private static readonly string Put =
        $"""
        INSERT INTO payment_minute(minute, {string.Join(", ", Columns)}) VALUES (?1, {string.Join(", ", Columns.Select((_, i) => $"?{i + 2}"))})
        ON CONFLICT(minute) DO UPDATE SET {string.Join(", ", Columns.Select(c => $"{c} = {c} + excluded.{c}"))}
        """;

    private static readonly string Range = $"SELECT minute, {string.Join(", ", Columns)} FROM payment_minute WHERE minute >= ?1 ORDER BY minute LIMIT ?2";

    private readonly Dictionary<long, long[]> changes = [];

    public static long MinuteOf(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / 60_000;

    /// <summary>A payment's row becomes this. Called inside the row's transaction, before the row is written over.</summary>
    /// <param name="isNew">It was inserted: there is nothing to write over.</param>
    public void Change(PreparedConnection db, long seq, PaymentState state, bool isNew)
    {
        var (stage, result) = (state.Stage, state.Outcome?.Result ?? PaymentResult.None);
        var old = isNew ? null : db.Prepare("SELECT stage, result FROM payment WHERE seq = ?1").Bind(1, seq);
        if (old?.Next() is not true)
        {
            Add(state, Accepted, 1);
            Add(state, stage, result, 1);
            return;
        }

        var (oldStage, oldResult) = ((PaymentStage)old.Long(0), (PaymentResult)old.Long(1));
        old.Reset();
        if (oldStage != stage || oldResult != result)
        {
            Add(state, oldStage, oldResult, -1);
            Add(state, stage, result, 1);
        }
    }

    /// <summary>Writes all changes, in the same transaction, and forgets them.</summary>
    public void Write(PreparedConnection db)
    {
        foreach (var (minute, change) in changes)
        {
            var put = db.Prepare(Put).Bind(1, minute);
            for (var i = 0; i < change.Length; i++)
            {
                put.Bind(i + 2, change[i]);
            }

            put.Run();
        }

        changes.Clear();
    }

    /// <summary>After a rollback.</summary>
    public void Forget() => changes.Clear();

    /// <summary>The counts of the minutes from <paramref name="from"/> on, oldest first; minutes without payments are left out.</summary>
    public static void Read(PreparedConnection db, long from, int limit, Action<long, PaymentCounts> each)
    {
        var rows = db.Prepare(Range).Bind(1, from).Bind(2, limit);
        while (rows.Next())
        {
            var counts = new PaymentCounts
            {
                Accepted = rows.Long(1 + Accepted),
                Approved = rows.Long(1 + Approved),
                Declined = rows.Long(1 + Declined),
                NotCharged = rows.Long(1 + NotCharged),
                Refunded = rows.Long(1 + Refunded),
                InDoubt = rows.Long(1 + InDoubt),
                ApprovedFen = rows.Long(1 + ApprovedFen),
            };
            for (var step = 0; step < ResultTimes.Steps; step++)
            {
                counts.Times.Add(step, rows.Long(1 + Times + step));
            }

            each(rows.Long(0), counts);
        }
    }

    /// <summary>Deletes some of the minutes before this one. False: there are no more.</summary>
    public static bool Delete(PreparedConnection db, long before) =>
        db.Prepare("DELETE FROM payment_minute WHERE minute IN (SELECT minute FROM payment_minute WHERE minute < ?1 ORDER BY minute LIMIT ?2)")
            .Bind(1, before).Bind(2, (long)DeletedAtOnce).Run() == DeletedAtOnce;

    private void Add(PaymentState state, PaymentStage stage, PaymentResult result, int sign)
    {
        if (stage == PaymentStage.InDoubt)
        {
            Add(state, InDoubt, sign);
        }

        switch (result)
        {
            case PaymentResult.Approved:
                Add(state, Approved, sign);
                Add(state, ApprovedFen, sign * state.Accepted.AmountFen);
                break;
            case PaymentResult.Declined:
                Add(state, Declined, sign);
                break;
            case PaymentResult.NotCharged:
                Add(state, NotCharged, sign);
                break;
            case PaymentResult.Refunded:
                Add(state, Refunded, sign);
                break;
            default:
                return;
        }

        // The time of the first outcome; a later revision does not move it.
        var tookMs = (long)(state.FinalAt!.Value - state.Accepted.At).TotalMilliseconds + state.Accepted.ScanAgeMs;
        Add(state, Times + ResultTimes.StepOf(tookMs), sign);
    }

    private void Add(PaymentState state, int column, long by)
    {
        var minute = MinuteOf(state.Accepted.At);
        if (!changes.TryGetValue(minute, out var change))
        {
            changes.Add(minute, change = new long[Columns.Length]);
        }

        change[column] += by;
    }
}
