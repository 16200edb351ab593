using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>The terminal does not do what the specification demands; the text says what was seen.</summary>
internal sealed class CaseFailedException(Phrase phrase) : Exception(phrase.ToString())
{
    public Phrase Phrase => phrase;
}

/// <summary>What a case needs is not there, so that it says nothing about its demand.</summary>
internal sealed class CaseBlockedException(Phrase phrase) : Exception(phrase.ToString())
{
    public Phrase Phrase => phrase;
}

/// <summary>A heartbeat of a unit, and when it came: on the clock of who heard it.</summary>
internal sealed record Beat(Heartbeat Said, TimeSpan At);

/// <summary>What was made of a configuration.</summary>
/// <param name="Hash">Of its entries.</param>
internal sealed record Pushed(ulong Version, byte[] Hash, ConfigurationReport Report);

/// <summary>
/// What cases and steps are written with: a jig, expectations, and what a unit is brought to do, whichever way it is reached. One that takes a <see cref="LineRig"/> needs the
/// line itself.
/// </summary>
internal abstract class Rig(IJig jig, Texts texts, CancellationToken cancellation)
{
    /// <summary>A scan, a plug: what people need for it.</summary>
    public static readonly TimeSpan Hands = TimeSpan.FromSeconds(90);

    public IJig Jig => jig;

    public CancellationToken Cancellation => cancellation;

    private readonly List<Measurement> measured = [];

    private readonly List<string> leftOut = [];

    /// <summary>Nothing has answered for some cases: the rest do not wait long for what does not come.</summary>
    public bool IsImpatient { get; set; }

    /// <summary>For what cannot be seen through a hub.</summary>
    public LineRig Line => this as LineRig ?? throw new CaseBlockedException("needs the line itself, and a hub stands between");

    /// <summary>The port's path, or the hub's address.</summary>
    public abstract string Place { get; }

    /// <summary>The hub that stands between; null: none does.</summary>
    public virtual string? Hub => null;

    /// <summary>Empty: nobody has said yet.</summary>
    public abstract string SerialNumber { get; }

    /// <summary>The unit that told of itself last.</summary>
    public abstract UnitSeen? Unit { get; }

    /// <summary>The unit can be spoken to.</summary>
    public abstract bool IsThere { get; }

    /// <summary>Of the way to the unit.</summary>
    public virtual IReadOnlyList<Histogram> Latencies => [];

    protected Texts Texts => texts;

    /// <summary>Has the unit tell who it is; what it tells must be good.</summary>
    public abstract Task<UnitSeen> Identify();

    /// <summary>The unit must prove its key.</summary>
    /// <param name="within">From its hello on; a hub has seen to it at the login.</param>
    public abstract Task ProveKey(TimeSpan within);

    /// <summary>The unit is logged in.</summary>
    /// <param name="toPay">And what it scans can be answered, without anybody's money.</param>
    public abstract Task Ready(bool toPay = false);

    /// <summary>A good heartbeat: the first of a session, or what a hub heard last.</summary>
    public abstract Task<Heartbeat> Heartbeat();

    /// <summary>A heartbeat that is sent after this configuration was applied.</summary>
    public abstract Task<Heartbeat> HeartbeatAfter((ulong Version, byte[] Hash) applied);

    /// <summary>Has the unit send heartbeats; the interval that it was told, in seconds, and when it sent one.</summary>
    /// <param name="wantedS">A hub tells it an interval of its own.</param>
    /// <param name="mostS">A longer interval of its own is not waited for.</param>
    public abstract Task<(double IntervalS, TimeSpan At)> Beats(double wantedS, double mostS);

    /// <summary>The next heartbeat; null: none within the time.</summary>
    public abstract Task<Beat?> NextBeat(TimeSpan within);

    /// <summary>Sends a configuration, under a version of its own, and waits for the unit's report.</summary>
    public abstract Task<Pushed> Push(IReadOnlyList<ConfigurationEntry> entries, TimeSpan within);

    /// <summary>Has the unit collect an amount for the till; the charge's id, and how long it took to say so.</summary>
    public abstract Task<(string Id, TimeSpan Took)> Collect(long amountFen, string orderNumber);

    /// <summary>The till closes a charge.</summary>
    public abstract Task CloseCharge(string id);

    /// <summary>Has somebody, or the jig, scan; the request that follows.</summary>
    /// <param name="amountFen">To be typed before; 0: the unit collects it.</param>
    public abstract Task<PaymentRequest> Scan(string code, long amountFen);

    /// <summary>A scan of which the bank makes this: approved, declined, in-doubt, late.</summary>
    public abstract Task<PaymentRequest> ScanFor(string result, string code, long amountFen);

    /// <summary>Has the payment end so, and the unit show it; the time between.</summary>
    public abstract Task<TimeSpan> Conclude(PaymentRequest request, string result, TimeSpan shownWithin);

    /// <summary>Leaves no open payment behind.</summary>
    public abstract Task Settle(PaymentRequest request);

    /// <summary>Puts a text before people at the unit's screen.</summary>
    public abstract Task Show(string text);

    /// <summary>Switches the unit off and on, or makes it new; its first heartbeat, or null: it did not log in again.</summary>
    public abstract Task<Heartbeat?> Restart(JigAction action, TimeSpan within);

    /// <summary>Runs a case or step and judges it. Null: it was stopped.</summary>
    public async Task<StepResult?> Judge(string id, Phrase title, string? section, Func<Task> run)
    {
        Forget();
        var from = Now;
        var (status, detail) = (StepStatus.Passed, "");
        try
        {
            await run();
        }
        catch (CaseFailedException e)
        {
            (status, detail) = (StepStatus.Failed, e.Phrase.In(texts));
        }
        catch (CaseBlockedException e)
        {
            (status, detail) = (StepStatus.Skipped, e.Phrase.In(texts));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return null;
        }

        Judged();
        var bad = measured.Where(m => !m.IsGood).Select(m => Wording.Of(m, texts)).ToList();
        return new StepResult(
            id, title.In(texts), section, bad.Count > 0 ? StepStatus.Failed : status, string.Join("; ", [.. bad, .. detail.Length > 0 ? [detail] : Array.Empty<string>(), .. leftOut]), [.. measured],
            Math.Round((Now - from).TotalSeconds, 3));
    }

    /// <summary>What was measured and left out so far.</summary>
    public void Forget()
    {
        measured.Clear();
        leftOut.Clear();
    }

    /// <summary>Says with the result what of the step was not tried.</summary>
    public void LeaveOut(Phrase what) => leftOut.Add(what.In(texts));

    /// <summary>A case is over: the next finds everything as usual.</summary>
    protected virtual void Judged()
    {
    }

    public virtual void Need(JigAction action)
    {
        if (!jig.Can(action))
        {
            throw new CaseBlockedException($"needs somebody, or a jig, for: {action}");
        }
    }

    public static void Assert(bool good, Phrase otherwise)
    {
        if (!good)
        {
            throw new CaseFailedException(otherwise);
        }
    }

    /// <summary>Keeps a measured value. It is judged when the case is over, so that one that is bad hides no other.</summary>
    public void Measure(Phrase name, double value, string unit, double? atLeast = null, double? atMost = null) =>
        measured.Add(new Measurement(name.In(texts), Math.Round(value, 3), unit, atLeast, atMost));

    public static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    public static TimeSpan Now => SerialLine.Now;
}
