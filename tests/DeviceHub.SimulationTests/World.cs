using System.Text;
using DeviceHub.Core.Payments;

namespace DeviceHub.SimulationTests;

/// <summary>An invariant of the design does not hold.</summary>
internal sealed class InvariantBrokenException(string message) : Exception(message);

/// <summary>Virtual time, chance and the trace of one seed. One thread: whatever happens, happens in the order of its time.</summary>
internal sealed class World(int seed, bool traced, bool calm = false)
{
    /// <summary>Until then things break; afterwards all must come to rest.</summary>
    public static readonly TimeSpan Troubled = TimeSpan.FromMinutes(6);

    private const int MaxSteps = 100_000;

    private static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Action, (TimeSpan At, int Order)> agenda = new();
    private readonly Random random = new(seed);
    private readonly StringBuilder? trace = traced ? new() : null;
    private TimeSpan wallOffset;
    private int order;

    public TimeSpan Now { get; private set; }

    public DateTimeOffset Wall => Start + Now + wallOffset;

    public bool Calm => calm || Now >= Troubled;

    public string Trace => trace?.ToString() ?? "";

    public void After(TimeSpan wait, Action action) => agenda.Enqueue(action, (Now + (wait > TimeSpan.Zero ? wait : TimeSpan.Zero), order++));

    public bool Chance(double share) => random.NextDouble() < share;

    /// <summary>As <see cref="Chance"/>, but never once the world is calm.</summary>
    public bool Fault(double share) => random.NextDouble() < share && !Calm;

    public int Pick(int below) => random.Next(below);

    public TimeSpan Between(double fromSeconds, double toSeconds) => TimeSpan.FromMilliseconds(1000 * (fromSeconds + (random.NextDouble() * (toSeconds - fromSeconds))));

    public void TurnWallClock(TimeSpan by)
    {
        wallOffset += by;
        Log($"wall clock turned by {by}");
    }

    public void Run()
    {
        for (var steps = 0; agenda.TryDequeue(out var action, out var at); steps++)
        {
            if (steps >= MaxSteps)
            {
                throw new InvariantBrokenException($"not at rest after {MaxSteps} steps and {Now}");
            }

            Now = at.At;
            action();
        }
    }

    public void Log(FormattableString line)
    {
        if (trace is not null)
        {
            trace.Append(Now.ToString("c")).Append("  ").AppendLine(line.ToString(null));
        }
    }

    public static string Of(PaymentEvent e) => e switch
    {
        PayAnswered x => $"PayAnswered {x.Attempt} {x.Verdict.Verdict}",
        Queried x => $"Queried {x.Attempt} {x.Verdict.Verdict}{(x.Quiet ? " quiet" : "")}",
        ReversalAnswered x => $"ReversalAnswered {x.Verdict.Verdict}",
        RefundStarted x => $"RefundStarted {x.RefundNumber} {x.AmountFen} by {x.By}",
        RefundAnswered x => $"RefundAnswered {x.RefundNumber} {x.Verdict.Verdict}",
        NoticeReceived x => $"NoticeReceived {x.Attempt} {x.RefundNumber} {x.Verdict.Verdict}",
        AttemptStarted x => $"AttemptStarted {x.Attempt} at {x.Account} {x.ChannelOrderNumber}",
        OutcomeReached x => $"OutcomeReached r{x.Revision} {x.Result}",
        AttentionNeeded x => $"AttentionNeeded {x.Why}",
        _ => e.GetType().Name,
    };
}
