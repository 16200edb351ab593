using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using DeviceHub.Core.Payments;

namespace DeviceHub.Simulation;

/// <summary>An invariant of the design does not hold.</summary>
internal sealed class InvariantBrokenException(string message) : Exception(message)
{
    public static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvariantBrokenException(what);
        }
    }
}

/// <summary>Virtual time, chance and the story of one seed. One thread: whatever happens, happens in the order of its time.</summary>
internal sealed class World(int seed, bool traced, bool calm = false)
{
    /// <summary>Until then things break; afterwards all must come to rest.</summary>
    public static readonly TimeSpan Troubled = TimeSpan.FromMinutes(6);

    private const int MaxSteps = 100_000;

    private static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Action, (TimeSpan At, int Order)> agenda = new();
    private readonly Random random = new(seed);
    private readonly StringBuilder? story = traced ? new() : null;
    private TimeSpan wallOffset;
    private int order;

    public TimeSpan Now { get; private set; }

    public DateTimeOffset Wall => Start + Now + wallOffset;

    public bool Calm => calm || Now >= Troubled;

    public string Story => story?.ToString() ?? "";

    public void After(TimeSpan wait, Action action) => agenda.Enqueue(action, (Now + (wait > TimeSpan.Zero ? wait : TimeSpan.Zero), order++));

    public bool Chance(double share) => random.NextDouble() < share;

    /// <summary>As <see cref="Chance"/>, but never once the world is calm.</summary>
    public bool Fault(double share) => random.NextDouble() < share && !Calm;

    public int Pick(int below) => random.Next(below);

    public TimeSpan Between(double fromSeconds, double toSeconds) => TimeSpan.FromMilliseconds(1000 * (fromSeconds + (random.NextDouble() * (toSeconds - fromSeconds))));

    public void TurnWallClock(TimeSpan by)
    {
        wallOffset += by;
        Log($"the wall clock is turned by {by}");
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

    /// <summary>A line of the story; costs nothing when nobody reads it.</summary>
    public void Log([InterpolatedStringHandlerArgument("")] ref StoryLine line)
    {
        story?.AppendLine();
    }

    public static string Of(PaymentEvent e) => e switch
    {
        PayAnswered x => $"PayAnswered attempt {x.Attempt}: {x.Verdict.Verdict}",
        Queried x => $"Queried attempt {x.Attempt}: {x.Verdict.Verdict}{(x.Quiet ? ", after the wait" : "")}{(x.Stale ? ", asked before a reversal or the outcome" : "")}",
        ReversalStarted x => $"ReversalStarted of attempt {x.Attempt}",
        ReversalAnswered x => $"ReversalAnswered attempt {x.Attempt}: {x.Verdict.Verdict}",
        RefundStarted x => $"RefundStarted {x.RefundNumber}: {x.AmountFen} fen, by {x.By ?? "the hub"}",
        RefundAnswered x => $"RefundAnswered {x.RefundNumber}: {x.Verdict.Verdict}",
        NoticeReceived x => $"NoticeReceived of attempt {x.Attempt}{(x.RefundNumber is { } number ? $", refund {number}" : "")}: {x.Verdict.Verdict}",
        AttemptStarted x => $"AttemptStarted {x.Attempt} at {x.Account} ({x.Channel}), order {x.ChannelOrderNumber}",
        OutcomeReached x => $"OutcomeReached revision {x.Revision}: {x.Result}",
        OutcomeShown x => $"OutcomeShown revision {x.Revision}",
        AttentionNeeded x => $"AttentionNeeded: {x.Why}",
        CancelRequested x => $"CancelRequested by {x.By}",
        _ => e.GetType().Name,
    };

    [InterpolatedStringHandler]
    internal readonly ref struct StoryLine
    {
        private readonly StringBuilder? story;

        public StoryLine(int literalLength, int formattedCount, World world, out bool isTold)
        {
            story = world.story;
            isTold = story is not null;
            story?.Append(CultureInfo.InvariantCulture, $"{(int)world.Now.TotalHours:00}:{world.Now:mm\\:ss\\.fff}  ");
        }

        public void AppendLiteral(string text) => story!.Append(text);

        public void AppendFormatted<T>(T value) => story!.Append(CultureInfo.InvariantCulture, $"{value}");

        public void AppendFormatted<T>(T value, string format) => story!.AppendFormat(CultureInfo.InvariantCulture, $"{{0:{format}}}", value);
    }
}
