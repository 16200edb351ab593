using DeviceHub.Core.Payments;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>One payment's rows: fenced by version, and checked at every append.</summary>
internal sealed class SimulatedLedger(World world, PaymentId id, Seams seams)
{
    private readonly List<PaymentEvent> events = [];

    public PaymentId Id => id;

    public IReadOnlyList<PaymentEvent> Events => events;

    public int Version { get; private set; }

    public DateTimeOffset? Due { get; private set; }

    public TimeSpan Touched { get; private set; }

    /// <summary>Folded from the events alone, whatever an activation believes.</summary>
    public PaymentState? State { get; private set; }

    public bool HasBegun(string channelOrderNumber) => State?.AttemptOf(channelOrderNumber) is not null;

    /// <summary>What became of it: the answer may be lost although it was written (Unknown).</summary>
    public WriteResult Append(int version, IReadOnlyList<PaymentEvent> more, DateTimeOffset? due)
    {
        if (world.Fault(0.01))
        {
            return WriteResult.NotWritten;
        }

        if (version != Version + 1 && !seams.IgnoresVersions)
        {
            return WriteResult.Conflict;
        }

        foreach (var e in more)
        {
            world.Log($"ledger: {id} v{version} {World.Of(e)}");
            Check(e);
            events.Add(e);
            State = PaymentState.Apply(id, State, e);
        }

        (Version, Due, Touched) = (version, seams.ForgetsDue ? null : due, world.Now);
        return world.Fault(0.01) ? WriteResult.Unknown : WriteResult.Written;
    }

    private void Check(PaymentEvent e)
    {
        var last = State?.Outcome;
        switch (e)
        {
            case OutcomeReached x when last is null:
                Require(x.Revision == 1, "I2: the first outcome has revision 1");
                Require(State!.Attempts.All(a => !a.SettledOnNotFound || WasLookedFor(a.Number)), "I5: settled on \"not found\" without what that needs");
                Require(
                    x.Result is PaymentResult.Approved || State.Attempts.All(a => !a.IsPossiblyCharged || State.OwnRefund(a.Number) is { Standing: RefundStanding.Done }),
                    $"I6: {x.Result} while an attempt may be charged");
                break;
            case OutcomeReached x:
                Require(x.Revision == last!.Revision + 1, "I2: a revision grows by one");
                Require(
                    last.Result is PaymentResult.NotCharged or PaymentResult.Declined && x.Result == PaymentResult.Refunded,
                    $"I2: {last.Result} became {x.Result}");
                break;
            case AttemptStarted x when State is { Attempts.Length: > 0 } state:
                Require(state.AttemptOf(x.ChannelOrderNumber) is null, "I3: an order number was used again");
                Require(state.Attempts.All(a => !a.IsPossiblyCharged), "I4: an attempt began while another was possibly charged");
                Require(!state.IsFinal && state.CancelledBy is null, "an attempt began of a payment that is final or cancelled");
                break;
            case RefundStarted x:
                Require(
                    x.By is not null || !events.Any(q => q is Queried { Verdict.Verdict: Verdict.Reversed or Verdict.Refunded or Verdict.Closed } back && back.Attempt == x.Attempt),
                    "I8: a refund was begun of money that the ledger knows to be back");
                Require(State!.Attempts[x.Attempt - 1].Fate == AttemptFate.Charged, "I8: a refund was begun of what is not known to be charged");
                Require(
                    State.Refunds.Where(r => r.Attempt == x.Attempt && r.Standing != RefundStanding.Failed).Sum(r => r.AmountFen) + x.AmountFen <= State.Accepted.AmountFen,
                    "I8: refunds of more than was charged");
                Require(State.Refund(x.RefundNumber) is null, "a refund number was taken twice");
                break;
            case NoticeReceived x:
                Require(
                    !events.OfType<NoticeReceived>().Where(n => n.Attempt == x.Attempt && n.RefundNumber == x.RefundNumber).TakeLast(1).Any(n => n.Verdict == x.Verdict),
                    "the same notice was written twice");
                break;
            case OutcomeShown x:
                Require(last is not null && x.Revision <= last.Revision, "I6: an outcome was shown that is not in the ledger");
                break;
        }

        Require(events.Count == 0 || e.At >= events[^1].At, $"time runs backwards in the timeline at {World.Of(e)}");
    }

    /// <summary>"Not found" twice, the last after the wait; then a reversal that was answered; then "not found" again.</summary>
    private bool WasLookedFor(int attempt)
    {
        var second = events.FindIndex(e => e is Queried { Verdict.Verdict: Verdict.NotFound, Stale: false } q && q.Attempt == attempt);
        second = second < 0 ? -1 : events.FindIndex(second + 1, e => e is Queried { Verdict.Verdict: Verdict.NotFound, Quiet: true, Stale: false } q && q.Attempt == attempt);
        var reversed = second < 0 ? -1 : events.FindIndex(second + 1, e => e is ReversalAnswered { Verdict.Verdict: not Verdict.Unknown } r && r.Attempt == attempt);
        var last = events.FindLastIndex(e => e is Queried { Stale: false } q && q.Attempt == attempt);
        return reversed >= 0 && last > reversed && events[last] is Queried { Verdict.Verdict: Verdict.NotFound };
    }
}
