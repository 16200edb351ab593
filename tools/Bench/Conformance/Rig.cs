using DeviceHub.Protocol;
using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Reports;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>The terminal does not do what the specification demands; the text says what was seen.</summary>
internal sealed class CaseFailedException(string message) : Exception(message);

/// <summary>What a case needs is not there, so that it says nothing about its demand.</summary>
internal sealed class CaseBlockedException(string message) : Exception(message);

/// <summary>What cases and steps are written with: the link, the session on it, a jig, and expectations.</summary>
internal sealed class Rig(BenchLink link, BenchSession session, IJig jig, CancellationToken cancellation)
{
    /// <summary>A scan, a plug: what people need for it.</summary>
    public static readonly TimeSpan Hands = TimeSpan.FromSeconds(90);

    /// <summary>Back-off with its jitter, at the most.</summary>
    private static readonly TimeSpan ToHello = TimeSpan.FromSeconds(33);

    private TimeSpan linkedAt;

    public BenchLink Link => link;

    public BenchSession Session => session;

    public IJig Jig => jig;

    public CancellationToken Cancellation => cancellation;

    public List<Measurement> Measured { get; } = [];

    /// <summary>Nothing has linked for some cases: the rest do not wait long for what does not come.</summary>
    public bool IsImpatient { get; set; }

    /// <summary>The time-out, and some more for the bench's own machine.</summary>
    public TimeSpan AckLimit => link.Timeout + TimeSpan.FromMilliseconds(100);

    /// <summary>Runs a case or step and judges it. Null: it was stopped.</summary>
    public async Task<StepResult?> Judge(string id, string title, string? section, Func<Task> run)
    {
        Measured.Clear();
        var from = Now;
        var (status, detail) = (StepStatus.Passed, "");
        try
        {
            await run();
        }
        catch (CaseFailedException e)
        {
            (status, detail) = (StepStatus.Failed, e.Message);
        }
        catch (CaseBlockedException e)
        {
            (status, detail) = (StepStatus.Skipped, e.Message);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return null;
        }

        link.Habits = new LinkHabits();
        return new StepResult(id, title, section, status, detail, [.. Measured], Math.Round((Now - from).TotalSeconds, 3));
    }

    /// <summary>Ends what was and has the terminal begin anew, up to its Uplink <c>hello</c>.</summary>
    public async Task<Heard> Linked(SessionScript? script = null, LinkHabits? habits = null)
    {
        session.Script = script ?? new SessionScript { Challenges = false };
        link.Habits = habits ?? new();
        link.Heard.Forget();
        linkedAt = Now;
        link.Close(0);
        // HELLO, REPLY, and the first DATA; a HELLO that was on its way already leads to a second one.
        return await Next(h => h.Has(Up.Hello), Patience(ToHello))
            ?? throw new CaseBlockedException(link.IsUp ? "linked, but no hello came" : "no link came up");
    }

    /// <summary>A whole login, up to the first message after synced or <paramref name="settle"/>.</summary>
    public async Task LoggedIn(SessionScript? script = null, LinkHabits? habits = null, bool needsKey = false)
    {
        await Linked(script ?? new(), habits);
        if (await Next(h => h.Has(Up.Proof), Patience(TimeSpan.FromSeconds(10))) is null || session.ProofIsGood is false)
        {
            throw new CaseBlockedException(session.ProofIsGood is false ? "the proof was wrong" : "no proof came");
        }

        if (needsKey && session.SessionKey is null)
        {
            throw new CaseBlockedException("the bench has no key of this unit (--key)");
        }

        if (session.Script.Syncs && await Next(h => h.Has(Up.Heartbeat), Patience(TimeSpan.FromSeconds(5))) is null)
        {
            throw new CaseBlockedException("no heartbeat came after synced");
        }
    }

    /// <summary>Has somebody, or the jig, scan; the request that follows.</summary>
    public async Task<PaymentRequest> Scan(string code, long amountFen)
    {
        Need(JigAction.Scan);
        await SettleOld();
        await jig.Do(new JigOrder(JigAction.Scan, code, amountFen), cancellation);
        var heard = await Next(h => h.Has(Up.PaymentRequest), Hands) ?? throw new CaseFailedException("no payment_request came of the scan");
        return heard.Said!.IsGood
            ? heard.Said.Message!.PaymentRequest
            : throw new CaseFailedException(heard.Said.Seal is null ? "the payment_request is not sealed" : $"the payment_request is not good: {heard.Said.Seal} {heard.Said.Error.Detail}");
    }

    /// <summary>A payment that the unit holds from before is told as not charged: it would be taken for this scan's, and keeps the unit from scanning.</summary>
    private async Task SettleOld()
    {
        await Task.Delay(150, cancellation);
        var session = link.Heard.Since(linkedAt);
        var shown = session.Select(h => h.Said?.Message?.OutcomeShown?.RequestId).ToHashSet();
        var open = session.Select(h => h.Said?.Message?.PaymentRequest?.RequestId ?? h.Said?.Message?.PaymentQuery?.RequestId).OfType<string>().Distinct();
        foreach (var id in open.Where(id => !shown.Contains(id)).ToList())
        {
            await Told(SealCases.LateOutcome(id));
            await Next(h => h.Has(Up.OutcomeShown), Ms(3000));
        }
    }

    public void Need(JigAction action)
    {
        if (!jig.Can(action))
        {
            throw new CaseBlockedException($"needs somebody, or a jig, for: {action}");
        }
    }

    public async Task<Heard> Expect(Func<Heard, bool> fits, TimeSpan within, string what) =>
        await Next(fits, within) ?? throw new CaseFailedException($"no {what} within {within.TotalMilliseconds:0} ms");

    /// <summary>A good message of the terminal.</summary>
    public async Task<Uplink> ExpectSaid(Up body, TimeSpan within, string? what = null)
    {
        var heard = await Expect(h => h.Has(body), within, what ?? body.ToString());
        Assert(heard.Said!.IsGood, $"{body} is not good: {(heard.Said.Error.Ok ? heard.Said.Seal is null ? "not sealed" : heard.Said.Seal.ToString() : heard.Said.Error.Detail)}");
        return heard.Said.Message!;
    }

    public async Task<Heard?> Next(Func<Heard, bool> fits, TimeSpan within) => await link.Heard.Next(fits, within, cancellation);

    /// <summary>Nothing of the kind may come.</summary>
    public async Task Quiet(Func<Heard, bool> unwanted, TimeSpan during, string what)
    {
        if (await Next(unwanted, during) is not null)
        {
            throw new CaseFailedException(what);
        }
    }

    /// <summary>A payload that the terminal must acknowledge in time.</summary>
    public async Task Told(Downlink message)
    {
        if (await session.Tell(message) is null)
        {
            throw new CaseFailedException($"the {message.BodyCase} was not acknowledged");
        }
    }

    public static void Assert(bool good, string otherwise)
    {
        if (!good)
        {
            throw new CaseFailedException(otherwise);
        }
    }

    /// <summary>Keeps a measured value, and judges it.</summary>
    public void Measure(string name, double value, string unit, double? atLeast = null, double? atMost = null)
    {
        var measured = new Measurement(name, Math.Round(value, 3), unit, atLeast, atMost);
        Measured.Add(measured);
        Assert(measured.IsGood, Wording.Of(measured));
    }

    public TimeSpan Patience(TimeSpan usual) => IsImpatient && usual > TimeSpan.FromSeconds(1.5) ? TimeSpan.FromSeconds(1.5) : usual;

    /// <summary>A frame with the sequence that is next, and what the terminal's ACK of it would be.</summary>
    public (byte[] Bytes, byte Sequence) NextFrame(Downlink message)
    {
        var sequence = link.NextSequence;
        return (link.Frame(FrameType.HubData, sequence, session.Encode(message)), sequence);
    }

    public static Func<Heard, bool> AckOf(byte sequence) => h => h.Is(FrameType.Ack) && h.Frame.Sequence == sequence;

    public static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    public static TimeSpan Now => SerialLine.Now;
}
