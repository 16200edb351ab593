using DeviceHub.Protocol;
using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Plans;
using DeviceHub.Tools.Bench.Reports;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>A unit at the other end of a line, whose hub the bench is: the link, the session on it, and what is heard.</summary>
internal sealed class LineRig(BenchLink link, BenchSession session, IJig jig, Texts texts, CancellationToken cancellation) : Rig(jig, texts, cancellation)
{
    /// <summary>Back-off with its jitter, at the most.</summary>
    private static readonly TimeSpan ToHello = TimeSpan.FromSeconds(33);

    /// <summary>Until a terminal is taken to have one boot id only, which is for its own case to say.</summary>
    private const int MostCloses = 5;

    private TimeSpan linkedAt;

    public BenchLink Link => link;

    public BenchSession Session => session;

    public override string Place => link.Path;

    public override string SerialNumber => link.Hello?.SerialNumber ?? "";

    public override UnitSeen? Unit => session.Unit;

    public override bool IsThere => link.IsUp;

    public override IReadOnlyList<Histogram> Latencies => [link.Acknowledgements.ToHistogram()];

    /// <summary>Requests that a final refusal has ended.</summary>
    public HashSet<string> Refused { get; } = [];

    /// <summary>The time-out, and some more for the bench's own machine.</summary>
    public TimeSpan AckLimit => link.Timeout + TimeSpan.FromMilliseconds(100);

    /// <summary>Ends what was and has the terminal begin anew, up to its Uplink <c>hello</c>.</summary>
    public async Task<Heard> Linked(SessionScript? script = null, LinkHabits? habits = null)
    {
        session.Script = script ?? new SessionScript { Challenges = false };
        link.Habits = habits ?? new();
        linkedAt = Now;
        return await FirstAnew(h => h.Has(Up.Hello))
            ?? throw (link.IsUp ? new CaseBlockedException("linked, but no hello came") : new CaseBlockedException("no link came up"));
    }

    /// <summary>
    /// Has the terminal begin anew; the first of the new link that fits, or null. A boot id that was replied to before the CLOSE is no sign of a new link: its HELLO may have been
    /// said twice, and the terminal be linked by the first REPLY with the CLOSE still to read, after which it says another HELLO. So it is closed once more. One that was first
    /// replied to after the CLOSE is: the terminal reads in order.
    /// </summary>
    public async Task<Heard?> FirstAnew(Func<Heard, bool> fits, TimeSpan? within = null)
    {
        Heard? first = null;
        for (var closes = 0; closes < MostCloses; closes++)
        {
            var before = link.BeginAnew();
            first = await Next(h => h.BootId != 0 && fits(h), Patience(within ?? ToHello));
            if (first is null || first.BootId != before)
            {
                break;
            }
        }

        return first;
    }

    /// <summary>A whole login, up to the first heartbeat after synced.</summary>
    public async Task LoggedIn(SessionScript? script = null, LinkHabits? habits = null, bool needsKey = false)
    {
        await Linked(script ?? new(), habits);
        if (await Next(h => h.Has(Up.Proof), Patience(TimeSpan.FromSeconds(10))) is null || session.ProofIsGood is false)
        {
            throw session.ProofIsGood is false ? new CaseBlockedException("the proof was wrong") : new CaseBlockedException("no proof came");
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

    public override async Task<UnitSeen> Identify()
    {
        var hello = (await Linked(new SessionScript())).Said!;
        Assert(hello.Error.Ok, hello.Error.Detail);
        Assert(hello.Message!.Hello.ProtocolVersion == 1, $"protocol_version {hello.Message.Hello.ProtocolVersion}");
        return session.Unit!;
    }

    public override async Task ProveKey(TimeSpan within)
    {
        await Linked(new SessionScript());
        var heard = await Expect(h => h.Has(Up.Proof), within, "proof");
        Assert(heard.Said!.Error.Ok, heard.Said.Error.Detail);
        if (session.ProofIsGood is not { } good)
        {
            throw new CaseBlockedException("the bench has no key of this unit (--key)");
        }

        Assert(good, "the proof does not fit the key that the bench has");
    }

    public override Task Ready(bool toPay = false) => LoggedIn(needsKey: toPay);

    public override async Task<Heartbeat> Heartbeat()
    {
        await Linked(new SessionScript());
        return (await ExpectSaid(Up.Heartbeat, Ms(40_000))).Heartbeat;
    }

    public override async Task<Heartbeat> HeartbeatAfter((ulong Version, byte[] Hash) applied)
    {
        await Linked(new SessionScript { Configuration = applied });
        return (await ExpectSaid(Up.Heartbeat, Ms(8000), "heartbeat")).Heartbeat;
    }

    public override async Task<(double IntervalS, TimeSpan At)> Beats(double wantedS, double mostS)
    {
        await LoggedIn(new SessionScript { HeartbeatSeconds = (uint)wantedS });
        return (wantedS, Now);
    }

    public override async Task<Beat?> NextBeat(TimeSpan within)
    {
        if (await Next(h => h.Has(Up.Heartbeat), within) is not { } heard)
        {
            return null;
        }

        IsGood(heard, Up.Heartbeat);
        return new Beat(heard.Said!.Message!.Heartbeat, heard.At);
    }

    public override async Task<Pushed> Push(IReadOnlyList<ConfigurationEntry> entries, TimeSpan within)
    {
        var (version, hash) = (ConfigurationCases.NextVersion(), ConfigurationHash.Of(entries));
        var chunks = entries.Chunk(2).ToList();
        for (var i = 0; i < chunks.Count; i++)
        {
            await Told(ConfigurationCases.Chunk(version, (uint)i, chunks[i]));
        }

        await Told(ConfigurationCases.Commit(version, (uint)chunks.Count, hash));
        return new Pushed(version, hash, (await ExpectSaid(Up.ConfigurationReport, within, "configuration_report")).ConfigurationReport);
    }

    public override async Task<(string Id, TimeSpan Took)> Collect(long amountFen, string orderNumber)
    {
        ChargeCases.NeedsCollect(this);
        var (id, from) = (ChargeCases.NewId(), Now);
        await Told(ChargeCases.Collect(id, amountFen: amountFen, orderNumber: orderNumber));
        return (id, await ChargeCases.Collecting(this, id) - from);
    }

    public override Task CloseCharge(string id) => Told(ChargeCases.Cancel(id));

    public override async Task<PaymentRequest> Scan(string code, long amountFen)
    {
        Need(JigAction.Scan);
        await SettleOld();
        await Jig.Do(new JigOrder(JigAction.Scan, code, amountFen), Cancellation);
        var heard = await Next(h => h.Has(Up.PaymentRequest), Hands) ?? throw new CaseFailedException("no payment_request came of the scan");
        IsGood(heard, Up.PaymentRequest);
        return heard.Said!.Message!.PaymentRequest;
    }

    public override Task<PaymentRequest> ScanFor(string result, string code, long amountFen) => Scan(code, amountFen);

    public override async Task<TimeSpan> Conclude(PaymentRequest request, string result, TimeSpan shownWithin)
    {
        if (result is "in-doubt" or "late")
        {
            await Told(new Downlink { InDoubt = new InDoubt { RequestId = request.RequestId, AmountFen = request.AmountFen } });
            await Quiet(h => h.Has(Up.PaymentRequest), Ms(4000), "the request was sent again while in doubt");
        }

        var from = Now;
        await Told(MoneySteps.Result(request, result));
        var shown = await Expect(h => h.Has(Up.OutcomeShown), shownWithin, "outcome_shown");
        Assert(shown.Said!.IsGood, "outcome_shown is not sealed well");
        return shown.At - from;
    }

    public override async Task Settle(PaymentRequest request)
    {
        await session.Tell(PaymentCases.Approved(request));
        await Next(h => h.Has(Up.OutcomeShown), Ms(3000));
    }

    public override async Task Show(string text)
    {
        await LoggedIn(needsKey: true);
        var late = SealCases.LateOutcome(SealCases.ForgottenId());
        late.Outcome.Text = MoneySteps.Text("bench", text);
        await Told(late);
        await Expect(h => h.Has(Up.OutcomeShown), Ms(5000), "outcome_shown");
    }

    public override async Task<Heartbeat?> Restart(JigAction action, TimeSpan within)
    {
        session.Script = new();
        link.Heard.Forget();
        await Jig.Do(new JigOrder(action), Cancellation);
        var hello = await Next(h => h.Has(Up.Hello) && h.Said!.Message!.Hello.BootReason != BootReason.Reconnect, Hands);
        _ = hello ?? throw new CaseBlockedException("it did not come back");
        return (await NextBeat(within))?.Said;
    }

    /// <summary>A payment that the unit holds from before is told as not charged: it would be taken for this scan's, and keeps the unit from scanning.</summary>
    private async Task SettleOld()
    {
        await Task.Delay(150, Cancellation);
        var session = link.Heard.Since(linkedAt);
        var shown = session.Select(h => h.Said?.Message?.OutcomeShown?.RequestId).ToHashSet();
        var open = session.Select(h => h.Said?.Message?.PaymentRequest?.RequestId ?? h.Said?.Message?.PaymentQuery?.RequestId).OfType<string>().Distinct();
        foreach (var id in open.Where(id => !shown.Contains(id) && !Refused.Contains(id)).ToList())
        {
            await Told(SealCases.LateOutcome(id));
            await Next(h => h.Has(Up.OutcomeShown), Ms(3000));
        }
    }

    public async Task<Heard> Expect(Func<Heard, bool> fits, TimeSpan within, Phrase what) =>
        await Next(fits, within) ?? throw new CaseFailedException($"no {what} within {within.TotalMilliseconds:0} ms");

    /// <summary>A good message of the terminal.</summary>
    public async Task<Uplink> ExpectSaid(Up body, TimeSpan within, Phrase? what = null)
    {
        var heard = await Expect(h => h.Has(body), within, what ?? body.ToString());
        IsGood(heard, body);
        return heard.Said!.Message!;
    }

    public static void IsGood(Heard heard, Up body)
    {
        var said = heard.Said!;
        Assert(said.IsGood || said.Error.Ok, $"{body} is not good: {said.Error.Detail}");
        Assert(said.IsGood || said.Seal is not null, $"{body} is not sealed");
        Assert(said.IsGood, $"the seal of {body} is not good: {said.Seal}");
    }

    public async Task<Heard?> Next(Func<Heard, bool> fits, TimeSpan within) => await link.Heard.Next(fits, within, Cancellation);

    /// <summary>Nothing of the kind may come.</summary>
    public async Task Quiet(Func<Heard, bool> unwanted, TimeSpan during, Phrase what)
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

    public TimeSpan Patience(TimeSpan usual) => IsImpatient && usual > TimeSpan.FromSeconds(1.5) ? TimeSpan.FromSeconds(1.5) : usual;

    /// <summary>A frame with the sequence that is next, and what the terminal's ACK of it would be.</summary>
    public (byte[] Bytes, byte Sequence) NextFrame(Downlink message)
    {
        var sequence = link.NextSequence;
        return (link.Frame(FrameType.HubData, sequence, session.Encode(message)), sequence);
    }

    public static Func<Heard, bool> AckOf(byte sequence) => h => h.Is(FrameType.Ack) && h.Frame.Sequence == sequence;

    protected override void Judged() => link.Habits = new LinkHabits();
}
