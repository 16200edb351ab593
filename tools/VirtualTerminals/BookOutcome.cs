using DeviceHub.Protocol.Wire;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>How an outcome is entered into the terminals' book, and what in it would break a promise.</summary>
internal static class BookOutcome
{
    public static void Write(TerminalBook book, string serialNumber, Outcome outcome, TimeSpan? age) =>
        book.Change(serialNumber, outcome.RequestId, known =>
        {
            var told = Of(outcome.Result);
            var entry = known ?? new BookEntry(
                serialNumber, outcome.RequestId, (long)outcome.AmountFen, DateTimeOffset.FromUnixTimeMilliseconds((long)outcome.HubTimeMs));
            return entry with
            {
                Told = outcome.Revision >= entry.Revision ? told : entry.Told,
                Revision = Math.Max(entry.Revision, (int)outcome.Revision),
                PaidFen = outcome.Revision >= entry.Revision ? (long)outcome.PaidFen : entry.PaidFen,
                OutcomeMs = entry.OutcomeMs ?? age?.TotalMilliseconds,
                WasAccepted = true,
                Contradiction = entry.Contradiction ?? Contradiction(entry, outcome, told),
            };
        });

    private static Told Of(Outcome.Types.Result result) => result switch
    {
        Outcome.Types.Result.Approved => Told.Approved,
        Outcome.Types.Result.Declined => Told.Declined,
        Outcome.Types.Result.NotCharged => Told.NotCharged,
        _ => Told.Refunded,
    };

    private static string? Contradiction(BookEntry known, Outcome outcome, Told told)
    {
        if ((long)outcome.AmountFen != known.AmountFen)
        {
            return $"asked for {known.AmountFen} fen, told about {outcome.AmountFen}";
        }

        // I2: the same revision never changes, and what was not charged never becomes approved, nor the other way.
        var settledBefore = known.Revision > 0;
        return settledBefore && ((outcome.Revision == known.Revision && told != known.Told) || ((told == Told.Approved) != (known.Told == Told.Approved)))
            ? $"told {known.Told} as revision {known.Revision}, then {told} as {outcome.Revision}"
            : null;
    }
}
