namespace DeviceHub.Core.Routing;

public enum Circuit
{
    /// <summary>Payments go through.</summary>
    Closed,

    /// <summary>One payment at a time tries whether the account works again.</summary>
    HalfOpen,

    /// <summary>Payments go elsewhere while there is another account.</summary>
    Open,
}

/// <summary>What a breaker says at a moment.</summary>
/// <param name="Calls">Looked at: recent ones, at most the option's.</param>
/// <param name="Failed">Of these.</param>
/// <param name="Slow">Of these, without the failed ones.</param>
/// <param name="OpenFor">Open: how much longer.</param>
/// <param name="Probing">Half open: a payment is trying it now.</param>
public readonly record struct CircuitView(Circuit Circuit, int Calls, int Failed, int Slow, TimeSpan OpenFor, bool Probing)
{
    /// <summary>Whether it may have one more payment without being asked to take a risk.</summary>
    public bool Takes => Circuit == Circuit.Closed || (Circuit == Circuit.HalfOpen && !Probing);
}

/// <summary>
/// The health of one account, from its last calls. It has no clock: times are a monotonic clock's. One thread at a time.
/// </summary>
public sealed class CircuitBreaker(RoutingOptions options)
{
    private readonly Queue<Call> calls = new();
    private TimeSpan? openUntil;
    private TimeSpan openFor = options.BreakerOpenFor;
    private TimeSpan? probeSince;
    private int probesPassed;

    public CircuitView View(TimeSpan now)
    {
        var (counted, failed, slow) = (0, 0, 0);
        foreach (var call in calls)
        {
            if (now - call.At < options.BreakerWindow)
            {
                counted++;
                failed += call.Failed ? 1 : 0;
                slow += call.Slow && !call.Failed ? 1 : 0;
            }
        }

        var circuit = openUntil is not { } until ? Circuit.Closed : now < until ? Circuit.Open : Circuit.HalfOpen;
        return new(
            circuit,
            counted,
            failed,
            slow,
            circuit == Circuit.Open ? openUntil!.Value - now : TimeSpan.Zero,
            circuit == Circuit.HalfOpen && IsProbing(now));
    }

    /// <summary>A payment was sent although the circuit is not closed.</summary>
    public void Probe(TimeSpan now) => probeSince = now;

    /// <param name="took">How long ago the call began.</param>
    public void Learn(bool failed, bool slow, TimeSpan took, TimeSpan now)
    {
        calls.Enqueue(new(now, failed, slow));
        if (calls.Count > options.BreakerCalls)
        {
            calls.Dequeue();
        }

        if (openUntil is null)
        {
            var view = View(now);
            if (view.Calls >= options.BreakerMinCalls
                && (view.Failed >= options.BreakerFailedShare * view.Calls || view.Failed + view.Slow >= options.BreakerSlowShare * view.Calls))
            {
                openUntil = now + openFor;
            }
        }
        else if (probeSince is { } since && now - took >= since)
        {
            // What was begun before is no try: it says nothing of now.
            probeSince = null;
            Tried(failed || slow, now);
        }
    }

    private void Tried(bool failed, TimeSpan now)
    {
        if (failed)
        {
            probesPassed = 0;
            openFor = openFor * 2 < options.BreakerMaxOpenFor ? openFor * 2 : options.BreakerMaxOpenFor;
            openUntil = now + openFor;
        }
        else if (++probesPassed >= options.BreakerProbes)
        {
            // It begins anew: what went wrong before must not open it again at the first fault.
            (openUntil, openFor, probesPassed) = (null, options.BreakerOpenFor, 0);
            calls.Clear();
        }
        else
        {
            openUntil = now;
        }
    }

    /// <summary>A payment that never reported back must not stand in the way of the next one for ever.</summary>
    private bool IsProbing(TimeSpan now) => probeSince is { } since && now - since < options.BreakerOpenFor;

    private readonly record struct Call(TimeSpan At, bool Failed, bool Slow);
}
