using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Problems;

/// <summary>What is wrong, for people to look after.</summary>
public enum ProblemKind
{
    /// <summary>Nobody knows yet whether the payer was charged.</summary>
    PaymentInDoubt,

    /// <summary>The hub waited too long, or gave up: a person must read its timeline.</summary>
    PaymentNeedsAttention,

    /// <summary>Terminals did not say that they have shown outcomes: cashiers may not know them. One for all that are new.</summary>
    OutcomesNotShown,

    /// <summary>Another board tried to log in with a terminal's key: possibly a copy of it.</summary>
    OtherHardware,

    /// <summary>A terminal refused its configuration, or made something else of it.</summary>
    ConfigurationNotApplied,

    /// <summary>Payments go elsewhere, while there is another account.</summary>
    CircuitOpen,

    ReconciliationFailed,

    /// <summary>Reconciliation found money that should go back, and a person must decide.</summary>
    RefundProposed,

    /// <summary>A merchant's webhook does not answer.</summary>
    WebhookFailing,

    /// <summary>Free disk space is below <c>Storage:ReserveBytes</c>: new payments are refused.</summary>
    DiskFull,

    /// <summary>Lists, sums and search do not show all payments yet: what is searched is made anew from the ledger.</summary>
    SearchBehind,

    /// <summary>What is searched cannot follow the ledger: lists, sums and search stay as they are.</summary>
    SearchFailing,

    /// <summary>The certificate of the TLS listener could not be renewed.</summary>
    CertificateEnds,
}

/// <param name="At">Since when; of a webhook, the time of the oldest message that waits; of the certificate, its end; null: it is so now, and nobody knows since when.</param>
/// <param name="Serious">Money, or all terminals, are concerned.</param>
/// <param name="Subject">A serial number, an account's name, a merchant's id; empty when there is nothing to name.</param>
/// <param name="Detail">What the terminal, the channel, the merchant's server or the search file said; null: nothing.</param>
/// <param name="Payment">Of a payment.</param>
/// <param name="AmountFen">Of a payment or a proposed refund, else 0.</param>
/// <param name="Id">What calls of the API name it by, where the subject is not that: an account's id, a reconciliation's number.</param>
/// <param name="Day">Of a reconciliation.</param>
/// <param name="Count">How many there are of what is listed as one, counted no further than <see cref="CountTo"/>; of a search that is behind, the ledger rows that it lacks; of all others 0.</param>
public sealed record Problem(
    ProblemKind Kind, DateTimeOffset? At, bool Serious, string Subject, string? Detail = null, PaymentId? Payment = null, long AmountFen = 0, string? Id = null, DateOnly? Day = null, int Count = 0)
{
    public const int CountTo = 1_000;

    /// <summary>A payment's mark stays for ever; what is older than this was seen.</summary>
    public static readonly TimeSpan News = TimeSpan.FromDays(7);
}

/// <summary>Who knows of problems of one kind of thing. It is asked a few times a minute while somebody looks.</summary>
public interface IProblemSource
{
    /// <summary>Those that are so now, the newest first, at most <paramref name="limit"/> of each kind: from memory, or from an index with a limit.</summary>
    ValueTask<IReadOnlyList<Problem>> Newest(int limit);
}

/// <summary>All sources together.</summary>
public sealed class ProblemList(IEnumerable<IProblemSource> sources)
{
    /// <summary>What is so now and has no time first, then the newest.</summary>
    public async Task<IReadOnlyList<Problem>> Newest(int limit)
    {
        var all = new List<Problem>();
        foreach (var source in sources)
        {
            all.AddRange(await source.Newest(limit));
        }

        return [.. all.OrderBy(p => p.At is not null).ThenByDescending(p => p.At).Take(limit)];
    }
}
