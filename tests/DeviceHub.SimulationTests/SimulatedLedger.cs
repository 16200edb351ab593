using DeviceHub.Core.Payments;

namespace DeviceHub.SimulationTests;

/// <summary>One payment's rows: fenced by version, and checked at every append.</summary>
internal sealed class SimulatedLedger(World world, PaymentId id)
{
    private readonly List<PaymentEvent> events = [];

    public IReadOnlyList<PaymentEvent> Events => events;

    public int Version { get; private set; }

    public DateTimeOffset? Due { get; private set; }

    public TimeSpan Touched { get; private set; }

    public PaymentState? State => PaymentState.Fold(id, events);

    public bool HasBegun(string channelOrderNumber) => events.OfType<AttemptStarted>().Any(a => a.ChannelOrderNumber == channelOrderNumber);

    /// <summary>What became of it: the answer may be lost although it was written (Unknown).</summary>
    public WriteResult Append(int version, IReadOnlyList<PaymentEvent> more, DateTimeOffset? due)
    {
        if (world.Fault(0.01))
        {
            return WriteResult.NotWritten;
        }

        if (version != Version + 1)
        {
            return WriteResult.Conflict;
        }

        foreach (var e in more)
        {
            Check(e);
            events.Add(e);
            world.Log($"ledger v{version}: {World.Of(e)}");
        }

        (Version, Due, Touched) = (version, due, world.Now);
        return world.Fault(0.01) ? WriteResult.Unknown : WriteResult.Written;
    }

    private void Check(PaymentEvent e)
    {
        var last = events.OfType<OutcomeReached>().LastOrDefault();
        switch (e)
        {
            case OutcomeReached x when last is null:
                Require(x.Revision == 1, "I2: the first outcome has revision 1");
                Require(!State!.Current.SettledOnNotFound || WasLookedFor(), "I5: settled on \"not found\" without what that needs");
                break;
            case OutcomeReached x:
                Require(x.Revision == last!.Revision + 1, "I2: a revision grows by one");
                Require(
                    last.Result is PaymentResult.NotCharged or PaymentResult.Declined && x.Result == PaymentResult.Refunded,
                    $"I2: {last.Result} became {x.Result}");
                break;
            case AttemptStarted when events.Count > 0:
                var state = State!;
                Require(state.Attempts.IsEmpty || state.Current.Fate == AttemptFate.NotCharged, "I4: an attempt began while another was possibly charged");
                break;
            case RefundStarted:
                Require(
                    !events.Any(x => x is Queried { Verdict.Verdict: Verdict.Reversed or Verdict.Refunded or Verdict.Closed }),
                    "I8: a refund was begun of money that the ledger knows to be back");
                break;
            case OutcomeShown x:
                Require(last is not null && x.Revision <= last.Revision, "I6: an outcome was shown that is not in the ledger");
                break;
        }

        Require(e.At >= (events.LastOrDefault()?.At ?? e.At), $"time runs backwards in the timeline at {World.Of(e)}");
    }

    /// <summary>"Not found" twice, the last after the wait; then a reversal that was answered; then "not found" again.</summary>
    private bool WasLookedFor()
    {
        var second = events.FindIndex(e => e is Queried { Verdict.Verdict: Verdict.NotFound, Stale: false });
        second = second < 0 ? -1 : events.FindIndex(second + 1, e => e is Queried { Verdict.Verdict: Verdict.NotFound, Quiet: true, Stale: false });
        var reversed = second < 0 ? -1 : events.FindIndex(second + 1, e => e is ReversalAnswered { Verdict.Verdict: not Verdict.Unknown });
        return reversed >= 0 && events[^1] is Queried { Verdict.Verdict: Verdict.NotFound, Stale: false } && events.Count - 1 > reversed;
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvariantBrokenException(what);
        }
    }
}
