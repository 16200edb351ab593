using DeviceHub.Core.Payments;
using DeviceHub.Gateways;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>
/// A payment walked point by point, its session lost at each. The terminal does what its specification says: it logs in anew, takes over what the
/// welcome brings, repeats what it has no outcome of, and confirms. Each test has its own silo.
/// </summary>
public sealed class SessionLossTests : IAsyncLifetime
{
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000, Transaction: "T1");
    private readonly TerminalFixture hub = new();

    /// <summary>Where the session is lost.</summary>
    public enum Point
    {
        BeforeAdmit,
        AfterAdmit,
        BeforeAccept,
        InTheCommit,
        AfterAccept,
        AtAccepted,
        BeforeItWaits,
        WhileItWaits,
        AfterItWaited,
        AtTheOutcome,
        BeforeShown,
        AfterShown,
    }

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    public static MatrixTheoryData<Point, bool> Points => new(Enum.GetValues<Point>(), [false, true]);

    [Theory, MemberData(nameof(Points))]
    public async Task Payment_is_charged_once_and_its_outcome_told_wherever_its_session_is_lost(Point point, bool nextIsLostToo)
    {
        var first = await hub.LoggedIn();
        var request = first.Request();
        var isSlow = point is Point.AtAccepted or Point.BeforeItWaits or Point.WhileItWaits or Point.AfterItWaited;
        if (!isSlow)
        {
            hub.Channel.Say(EffectKind.Pay, Paid);
        }

        var lost = LoseAt(point, first);
        await first.SendSealed(new Uplink { PaymentRequest = request });
        if (isSlow)
        {
            await Eventually.Holds(
                () =>
                {
                    hub.Clock.Advance(TimeSpan.FromMilliseconds(hub.SessionOptions.AcceptedAfterMs));
                    return lost.IsCompleted;
                },
                "the terminal is told that the payment is accepted, and its outcome waited for");
        }
        else if (point is Point.BeforeShown or Point.AfterShown)
        {
            await Confirm(first, (await first.Next(d => d.Outcome is not null)).Outcome);
        }

        await lost.WaitAsync(Eventually.DefaultLimit);
        if (nextIsLostToo)
        {
            var second = new TestTerminal(hub, first.SerialNumber, key: first.Key);
            second.Sent = message => { if (message.Welcome is not null) { _ = second.Session.DisposeAsync().AsTask(); } };
            await second.Hello();
            await second.Next(d => d.Challenge is not null);
            await second.Prove();
            await second.Next(d => d.Welcome is not null);
        }

        var last = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        await last.LogIn();
        await last.SendSealed(new Uplink { PaymentRequest = request });
        if (isSlow && point is not Point.AfterItWaited)
        {
            hub.Channel.Say(EffectKind.Pay, Paid);
        }

        var outcome = (await last.Next(d => d.Refusal is not null || d.Outcome is not null)).Outcome;
        Assert.Equal((request.RequestId, Outcome.Types.Result.Approved, 1000UL, "T1"), (outcome.RequestId, outcome.Result, outcome.PaidFen, outcome.ChannelTransaction));
        await Confirm(last, outcome);

        Assert.Single(hub.Channel.Paid);
        Assert.Empty(await hub.Ledger.Unsettled(first.SerialNumber, DateTimeOffset.MinValue, 10));
    }

    [Theory, InlineData(false, false), InlineData(false, true), InlineData(true, false), InlineData(true, true)]
    public async Task Payment_that_is_being_written_when_its_session_is_lost_is_told_to_the_next_one(bool byTakeover, bool isSlow)
    {
        var first = await hub.LoggedIn();
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        hub.Ledger.Held = (reached, release);
        var request = first.Request();
        var paying = first.SendSealed(new Uplink { PaymentRequest = request }).AsTask();
        await reached.Task;
        var ending = byTakeover ? Task.CompletedTask : first.Session.DisposeAsync().AsTask();

        var next = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        await next.LogIn();
        Assert.Equal(0u, next.Welcome.Unsettled);
        if (byTakeover)
        {
            Assert.Equal(CutReason.TakenOver, await first.WasCut.Task.WaitAsync(Eventually.DefaultLimit));
            ending = first.Session.DisposeAsync().AsTask();
        }

        if (!isSlow)
        {
            hub.Channel.Say(EffectKind.Pay, Paid);
        }

        release.SetResult();
        await paying;
        await ending;
        if (isSlow)
        {
            Assert.Equal(request.RequestId, (await Accepted(next)).RequestId);
            hub.Channel.Say(EffectKind.Pay, Paid);
        }

        Assert.Equal(Outcome.Types.Result.Approved, (await next.Next(d => d.Outcome is not null)).Outcome.Result);
        Assert.True(first.ToldNothing);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Payment_that_a_takeover_did_not_see_is_told_to_the_next_session_although_the_older_one_waited_for_it_or_told_it(bool told)
    {
        var first = await hub.LoggedIn();
        var commit = (Reached: new TaskCompletionSource(), Release: new TaskCompletionSource());
        var read = (Reached: new TaskCompletionSource(), Release: new TaskCompletionSource());
        var waits = new TaskCompletionSource();
        (hub.Ledger.Held, hub.Ledger.HeldUnsettled) = (commit, read);
        hub.Around = ("Outcome", call =>
        {
            var waiting = call();
            waits.SetResult();
            return waiting;
        });
        var request = first.Request();
        var paying = first.SendSealed(new Uplink { PaymentRequest = request }).AsTask();
        await commit.Reached.Task;
        var next = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        var loggingIn = next.LogIn();
        await read.Reached.Task;
        commit.Release.SetResult();
        await paying;
        await waits.Task;
        if (told)
        {
            hub.Channel.Say(EffectKind.Pay, Paid);
            await first.Next(d => d.Outcome is not null);
        }

        read.Release.SetResult();
        await loggingIn;
        Assert.Equal(0u, next.Welcome.Unsettled);
        Assert.Equal(CutReason.TakenOver, await first.WasCut.Task.WaitAsync(Eventually.DefaultLimit));
        await first.Session.DisposeAsync();

        if (!told)
        {
            Assert.Equal(request.RequestId, (await Accepted(next)).RequestId);
            hub.Channel.Say(EffectKind.Pay, Paid);
        }

        Assert.Equal(Outcome.Types.Result.Approved, (await next.Next(d => d.Outcome is not null)).Outcome.Result);
    }

    [Fact]
    public async Task Outcome_that_a_session_told_unheard_is_told_once_to_the_next_one()
    {
        var first = await hub.LoggedIn();
        hub.Channel.Say(EffectKind.Pay, Paid);
        await first.SendSealed(new Uplink { PaymentRequest = first.Request() });
        await first.Next(d => d.Outcome is not null);
        var next = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        await next.LogIn();
        await first.WasCut.Task.WaitAsync(Eventually.DefaultLimit);
        await first.Session.DisposeAsync();
        await hub.Grain(first.SerialNumber).Snapshot();

        Assert.True(next.ToldNothing, "the welcome brought it");
    }

    [Fact]
    public async Task Session_whose_payment_does_not_answer_ends_without_it()
    {
        var terminal = await hub.LoggedIn();
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        hub.Ledger.Held = (reached, release);
        var paying = terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() }).AsTask();
        await reached.Task;
        var ending = terminal.Session.DisposeAsync().AsTask();
        await Eventually.Holds(
            () =>
            {
                hub.Clock.Advance(TimeSpan.FromMilliseconds(500));
                return ending.IsCompleted;
            },
            "the session is over");
        Assert.False(paying.IsCompleted);
        release.SetResult();
        await paying;
    }

    private async Task<Accepted> Accepted(TestTerminal terminal)
    {
        var accepted = terminal.Next(d => d.Accepted is not null);
        await Eventually.Holds(
            () =>
            {
                hub.Clock.Advance(TimeSpan.FromMilliseconds(hub.SessionOptions.AcceptedAfterMs));
                return accepted.IsCompleted;
            },
            "the terminal is told that the payment is accepted");
        return (await accepted).Accepted;
    }

    private static async Task Confirm(TestTerminal terminal, Outcome outcome) =>
        await terminal.SendSealed(new Uplink { OutcomeShown = new() { RequestId = outcome.RequestId, Revision = outcome.Revision } });

    /// <summary>Ends when the session is lost.</summary>
    private Task LoseAt(Point point, TestTerminal terminal)
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (point is Point.InTheCommit)
        {
            _ = InTheCommit(Lose);
        }
        else if (point is Point.AtAccepted or Point.AtTheOutcome)
        {
            terminal.Sent = message =>
            {
                if (point is Point.AtAccepted ? message.Accepted is not null : message.Outcome is not null)
                {
                    _ = Lose();
                }
            };
        }
        else
        {
            hub.Around = (CallAt(point), call => Around(point, call, Lose));
        }

        return lost.Task;

        async Task Lose()
        {
            await terminal.Session.DisposeAsync();
            lost.TrySetResult();
        }
    }

    private async Task InTheCommit(Func<Task> lose)
    {
        var held = (Reached: new TaskCompletionSource(), Release: new TaskCompletionSource());
        hub.Ledger.Held = held;
        await held.Reached.Task;
        await lose();
        held.Release.SetResult();
    }

    private static string CallAt(Point point) => point switch
    {
        Point.BeforeAdmit or Point.AfterAdmit => "Admit",
        Point.BeforeAccept or Point.AfterAccept => "Accept",
        Point.BeforeShown or Point.AfterShown => "Shown",
        _ => "Outcome",
    };

    private async Task Around(Point point, Func<Task> call, Func<Task> lose)
    {
        if (point is Point.BeforeAdmit or Point.BeforeAccept or Point.BeforeItWaits or Point.BeforeShown)
        {
            await lose();
            await call();
            return;
        }

        var calling = call();
        if (point is Point.AfterItWaited)
        {
            hub.Channel.Say(EffectKind.Pay, Paid);
        }

        if (point is not Point.WhileItWaits)
        {
            await calling;
        }

        await lose();
        await calling;
    }
}
