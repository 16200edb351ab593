using DeviceHub.Core.Payments;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Storage;

/// <summary>
/// What each account was paid since a time, and what it may still be. Day limits go by it, so it is whole whatever the searchable payments show: what they do not show yet, or
/// nobody can read, is added from the ledger's end.
/// </summary>
internal sealed partial class DayTotals(ReadPool ledger, LedgerKeys keys, SearchPool search, SearchFile searchFile, ILogger<DayTotals> logger)
{
    /// <summary>Of one read: a day may have more payments than any read has time for.</summary>
    private const int PaymentsARead = 10_000;

    /// <summary>Ledger rows of one read, each with its payment's others.</summary>
    private const int EventsARead = 500;

    /// <summary>Payments that run, of one read; each is folded, and their rows lie anywhere in the file: so few that a slow and cold disk has them within a read's time.</summary>
    private const int RunningARead = 100;

    /// <summary>So many of the payments that run are looked at, those that are due first: a hub that has more has other troubles than a day limit.</summary>
    private const int MaxRunning = 10_000;

    /// <summary>Rows of the ledger are in the order of their commits, and a payment's time is a little older.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromHours(1);

    public async Task<Dictionary<string, long>> Since(DateTimeOffset since, CancellationToken cancellationToken)
    {
        try
        {
            var file = searchFile.Generation;
            var shown = await search.Read(0, static (db, _) => PaymentProjection.Position(db).Shown);
            var sum = await FromLedger(since, shown, cancellationToken);
            (DateTimeOffset At, long Seq)? position = (since, 0);
            while (position is { } after)
            {
                cancellationToken.ThrowIfCancellationRequested();
                position = await search.Read((after, sum), AddFromSearch);
            }

            if (searchFile.Generation == file)
            {
                return sum.Taken;
            }
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException or TimeoutException)
        {
            LogUnreadable(e);
        }

        return (await FromLedger(since, 0, cancellationToken)).Taken;
    }

    /// <summary>Names each payment that may be charged yet, with the account that may charge it. From the ledger alone.</summary>
    public async Task UnderWay(Action<string, PaymentId, long> tell, CancellationToken cancellationToken)
    {
        (DateTimeOffset Due, string SerialNumber, string RequestId)? position = (DateTimeOffset.UnixEpoch, "", "");
        for (var read = 0; read < MaxRunning && position is { } after; read += RunningARead)
        {
            cancellationToken.ThrowIfCancellationRequested();
            position = await ledger.Read((keys, after, tell), TellUnderWay);
        }
    }

    /// <summary>Where it ended; null: nothing was left.</summary>
    private static (DateTimeOffset, string, string)? TellUnderWay(
        PreparedConnection db, (LedgerKeys Keys, (DateTimeOffset Due, string SerialNumber, string RequestId) After, Action<string, PaymentId, long> Tell) x)
    {
        (DateTimeOffset, string, string)? last = null;
        var ids = new List<PaymentId>();
        var rows = db.Prepare(
            $"""
            SELECT sn, request_id, due_at FROM live_payment
            WHERE due_at IS NOT NULL AND (due_at, sn, request_id) > (?1, ?2, ?3) AND {SqlText.NoTest} ORDER BY due_at, sn, request_id LIMIT ?4
            """)
            .Bind(1, x.After.Due).Bind(2, x.After.SerialNumber).Bind(3, x.After.RequestId).Bind(4, (long)RunningARead);
        while (rows.Next())
        {
            var id = new PaymentId(rows.Text(0), rows.Text(1));
            last = (rows.Time(2), id.SerialNumber, id.RequestId);
            ids.Add(id);
        }

        foreach (var id in ids)
        {
            if (Fold(() => LedgerReads.Fold(db, x.Keys, id)) is { } state && state.Attempts.FirstOrDefault(a => a.Fate is AttemptFate.InFlight or AttemptFate.Pending or AttemptFate.Unknown) is { } attempt)
            {
                x.Tell(attempt.Account, id, state.Accepted.AmountFen);
            }
        }

        return last;
    }

    /// <summary>Of payments that have rows after this one.</summary>
    private async Task<Sum> FromLedger(DateTimeOffset since, long shown, CancellationToken cancellationToken)
    {
        var sum = new Sum(since, new(StringComparer.Ordinal), []);
        for (var before = long.MaxValue; before > 0; before = await ledger.Read((sum, shown, before), AddFromLedger))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return sum;
    }

    /// <summary>Backwards, some rows after <c>Shown</c> and before <c>Before</c>. Where it ended; 0: nothing was left, or what is older is of another day.</summary>
    private static long AddFromLedger(PreparedConnection db, (Sum Sum, long Shown, long Before) x)
    {
        var (sum, last) = (x.Sum, 0L);
        var (begun, today) = (false, false);
        var rows = db.Prepare("SELECT seq, payment, sn, request_id FROM payment_event WHERE seq > ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3")
            .Bind(1, x.Shown).Bind(2, x.Before).Bind(3, (long)EventsARead);
        while (rows.Next())
        {
            last = rows.Long(0);
            var payment = rows.Long(1);
            if (!sum.Folded.TryGetValue(payment, out var acceptedAt))
            {
                if (Fold(() => LedgerReads.Fold(db, payment, new PaymentId(rows.Text(2), rows.Text(3)))) is not { } state)
                {
                    continue;
                }

                sum.Folded.Add(payment, acceptedAt = state.Accepted.At);
                if (acceptedAt >= sum.From && !state.Id.IsTest && state.Outcome?.Result == PaymentResult.Approved)
                {
                    sum.Add(state.Deciding.Account, state.Accepted.AmountFen);
                }
            }

            // By its first row alone: old payments are asked about for days.
            begun |= last == payment;
            today |= last == payment && acceptedAt >= sum.From - Margin;
        }

        return begun && !today ? 0 : last;
    }

    /// <summary>Null: it cannot be read, which keeps no hub from starting. The projection meets it, too, and logs it.</summary>
    private static PaymentState? Fold(Func<PaymentState?> fold)
    {
        try
        {
            return fold();
        }
        catch (Exception e) when (LedgerReads.IsUnreadable(e))
        {
            return null;
        }
    }

    /// <summary>Where it ended; null: nothing was left.</summary>
    private static (DateTimeOffset At, long Seq)? AddFromSearch(PreparedConnection db, ((DateTimeOffset At, long Seq) After, Sum Sum) x)
    {
        (DateTimeOffset, long)? last = null;
        var rows = db.Prepare(
            $"""
            SELECT accepted_at, seq, channel_account, amount_fen FROM payment
            WHERE result = ?1 AND (accepted_at, seq) > (?2, ?3) AND channel_account IS NOT NULL AND {SqlText.NoTest} ORDER BY accepted_at, seq LIMIT ?4
            """)
            .Bind(1, (long)PaymentResult.Approved).Bind(2, x.After.At).Bind(3, x.After.Seq).Bind(4, PaymentsARead);
        while (rows.Next())
        {
            last = (rows.Time(0), rows.Long(1));
            if (!x.Sum.Folded.ContainsKey(rows.Long(1)))
            {
                x.Sum.Add(rows.Text(2), rows.Long(3));
            }
        }

        return last;
    }

    /// <param name="Folded">Payments that were read from the ledger, and when each was accepted: whatever else is shown of them is older.</param>
    private sealed record Sum(DateTimeOffset From, Dictionary<string, long> Taken, Dictionary<long, DateTimeOffset> Folded)
    {
        public void Add(string account, long fen) => Taken[account] = Taken.GetValueOrDefault(account) + fen;
    }

    [LoggerMessage(EventName = "DayTotalsFromLedger", Level = LogLevel.Warning, Message = "The searchable payments cannot be read: what accounts have taken today is read from the ledger, which takes longer")]
    private partial void LogUnreadable(Exception e);
}
