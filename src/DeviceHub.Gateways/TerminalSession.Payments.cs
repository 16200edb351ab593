using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.Gateways;

/// <summary>The walk of a payment, steps 2 to 6, from the session's side.</summary>
internal sealed partial class TerminalSession
{
    /// <summary>Payments that one session keeps as not final: more than the welcome brings and a terminal can have.</summary>
    private const int MaxOpen = 64;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Payments of this session by request id, from the request until the outcome was sent. Null: none yet.</summary>
    private Dictionary<string, OpenPayment>? open;
    private List<Unconfirmed>? unconfirmed;
    private CancellationTokenSource? ending;
    private int waits;

    /// <param name="Followed">Somebody in this session waits for its outcome and will tell of every change.</param>
    private readonly record struct OpenPayment(bool Followed);

    /// <param name="Sends">How often it was sent again.</param>
    private sealed record Unconfirmed(PaymentView View, DateTimeOffset FirstSent, int Sends);

    private IPaymentGrain Payment(string requestId) => sessions.Payment(serialNumber, requestId);

    /// <summary>A payment changed after this session stopped waiting for it.</summary>
    public void PaymentChanged(PaymentView view)
    {
        var requestId = view.Id.RequestId;
        lock (gate)
        {
            if (state != SessionState.LoggedIn || (open?.TryGetValue(requestId, out var payment) is true && payment.Followed))
            {
                return;
            }
        }

        Tell(view, requestId, late: false);
    }

    /// <summary>Sends again what nobody confirmed. Called by the process's one ticker.</summary>
    public void ResendDue(DateTimeOffset now)
    {
        var waits = sessions.Options.ResendAfterSeconds;
        List<PaymentView>? due = null;
        lock (gate)
        {
            for (var i = (unconfirmed?.Count ?? 0) - 1; i >= 0; i--)
            {
                var item = unconfirmed![i];
                if (item.Sends >= waits.Length)
                {
                    SessionMetrics.Unconfirmed.Add(1);
                    unconfirmed.RemoveAt(i);
                }
                else if (now - item.FirstSent >= TimeSpan.FromSeconds(waits[item.Sends]))
                {
                    unconfirmed[i] = item with { Sends = item.Sends + 1 };
                    (due ??= []).Add(item.View);
                }
            }

            if (unconfirmed is not { Count: > 0 })
            {
                unconfirmed = null;
                sessions.Unwatch(this);
            }
        }

        foreach (var view in due ?? [])
        {
            SessionMetrics.Resent.Add(1);
            Send(WireMapping.ToWire(view, view.Id.RequestId, serialNumber, IsLate(view, now), now, Reader), money: true);
        }
    }

    private ValueTask Money(Uplink message) => message.BodyCase switch
    {
        Uplink.BodyOneofCase.PaymentRequest => Pay(message.PaymentRequest),
        Uplink.BodyOneofCase.PaymentQuery => Query(message.PaymentQuery.RequestId),
        Uplink.BodyOneofCase.PaymentCancel => Cancel(message.PaymentCancel.RequestId),
        _ => Shown(message.OutcomeShown),
    };

    private async ValueTask Pay(Protocol.Wire.PaymentRequest message)
    {
        var requestId = message.RequestId;
        if (!wire.CanReceive)
        {
            Refuse(new Core.Refusal(RefusalCode.NotSubscribed, "subscribe to the terminal's down topic first", RetryAfter: RetryAfter), requestId);
            return;
        }

        var request = WireMapping.ToDomain(message);
        if (!Begin(requestId))
        {
            await RefuseUnlessKnown(request, new Core.Refusal(RefusalCode.Busy, "too many payments of this terminal at once", RetryAfter: RetryAfter));
            return;
        }

        Admission admission;
        try
        {
            admission = await Terminal.Admit(epoch, request);
        }
        catch (Exception e)
        {
            // Nothing was accepted by this message; an earlier one may have been, so the same request is to be repeated.
            Fault(e, "Admit");
            Refuse(new Core.Refusal(RefusalCode.Busy, "the hub could not look at the request", RetryAfter: RetryAfter), requestId);
            return;
        }

        if (admission.Refusal is { Code: RefusalCode.StaleSession } stale)
        {
            Refuse(stale, requestId);
        }
        else if (admission.Refusal is { } refusal)
        {
            await RefuseUnlessKnown(request, refusal);
        }
        else
        {
            // When this throws nobody knows whether it was accepted: the session stays silent and the terminal repeats.
            Answer(await Payment(requestId).Accept(admission.Order!), requestId);
        }
    }

    /// <summary>A refusal is only for what the ledger does not know: of a known payment its state is the answer.</summary>
    private async ValueTask RefuseUnlessKnown(Core.Payments.PaymentRequest request, Core.Refusal refusal)
    {
        var known = await Payment(request.RequestId).Find(request);
        Answer(known.Refusal is { Code: RefusalCode.UnknownPayment } ? new PaymentAnswer(null, refusal) : known, request.RequestId);
    }

    private async ValueTask Query(string requestId)
    {
        if (await Ask(requestId, static payment => payment.Find(null)) is { } answer)
        {
            Answer(answer, requestId);
        }
    }

    private async ValueTask Cancel(string requestId)
    {
        if (await Ask(requestId, static payment => payment.Cancel("terminal")) is not { } answer)
        {
            return;
        }

        if (answer.View is { } view)
        {
            Tell(view, requestId, late: false);
            Follow(view, requestId, told: true);
        }
        else
        {
            Answer(answer, requestId);
        }
    }

    /// <summary>
    /// A query or cancel right behind its request may reach the payment first. "Unknown" would mean "not charged" then, and be wrong a moment
    /// later: null, and the terminal is told to ask again.
    /// </summary>
    private async ValueTask<PaymentAnswer?> Ask(string requestId, Func<IPaymentGrain, Task<PaymentAnswer>> question)
    {
        bool requested;
        lock (gate)
        {
            requested = open?.ContainsKey(requestId) is true;
        }

        var answer = await question(Payment(requestId));
        if (!requested || answer.Refusal is not { Code: RefusalCode.UnknownPayment })
        {
            return answer;
        }

        Refuse(new Core.Refusal(RefusalCode.Busy, "the request before it is being looked at", RetryAfter: RetryAfter), requestId);
        return null;
    }

    private async ValueTask Shown(Protocol.Wire.OutcomeShown shown)
    {
        lock (gate)
        {
            unconfirmed?.RemoveAll(u => u.View.Id.RequestId == shown.RequestId && u.View.Revision <= shown.Revision);
        }

        await Payment(shown.RequestId).Shown((int)shown.Revision);
    }

    private void Answer(PaymentAnswer answer, string requestId)
    {
        if (answer.View is not { } view)
        {
            Close(requestId);
            Refuse(answer.Refusal!, requestId);
        }
        else if (view.Stage == PaymentStage.Final)
        {
            Tell(view, requestId, late: false);
        }
        else if (!Follow(view, requestId, told: false))
        {
            // Followed already (a repeat), or more than this session waits for: the state now.
            Tell(view, requestId, late: false);
        }
    }

    /// <summary>Waits for the outcome outside of the message that asked for it. False: it is not waited for by this call.</summary>
    private bool Follow(PaymentView view, string requestId, bool told)
    {
        lock (gate)
        {
            if (view.Stage == PaymentStage.Final || state != SessionState.LoggedIn || waits >= sessions.Options.MaxConcurrentPayments
                || (open?.TryGetValue(requestId, out var payment) is true && payment.Followed))
            {
                return false;
            }

            waits++;
            (open ??= [])[requestId] = new OpenPayment(Followed: true);
        }

        _ = FollowToEnd(view, requestId, told);
        return true;
    }

    private async Task FollowToEnd(PaymentView view, string requestId, bool told)
    {
        try
        {
            var last = await Wait(view, requestId, told);
            if (last.Stage != PaymentStage.Final)
            {
                // A change that came by the grain while this session still seemed to wait was left to this look.
                var now = await Payment(requestId).Outcome(last.Stage, TimeSpan.Zero).WaitAsync(Ending());
                if (now.Stage != last.Stage)
                {
                    Tell(now, requestId, late: false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The session ended; the next welcome tells.
        }
        catch (Exception e)
        {
            Fault(e, "Outcome");
        }
    }

    private async Task<PaymentView> Wait(PaymentView view, string requestId, bool told)
    {
        var last = view;
        try
        {
            var grain = Payment(requestId);
            var began = sessions.Clock.GetTimestamp();
            var atMost = TimeSpan.FromSeconds(sessions.Options.OutcomeWaitSeconds);
            if (!told)
            {
                last = await grain.Outcome(last.Stage, TimeSpan.FromMilliseconds(sessions.Options.AcceptedAfterMs)).WaitAsync(Ending());
                Tell(last, requestId, late: false);
            }

            while (last.Stage != PaymentStage.Final && atMost - sessions.Clock.GetElapsedTime(began) is { Ticks: > 0 } left)
            {
                var next = await grain.Outcome(last.Stage, left).WaitAsync(Ending());
                if (next.Stage != last.Stage)
                {
                    Tell(next, requestId, late: false);
                }

                last = next;
            }

            return last;
        }
        finally
        {
            lock (gate)
            {
                waits--;
                if (open?.ContainsKey(requestId) is true)
                {
                    open[requestId] = new OpenPayment(Followed: false);
                }
            }
        }
    }

    /// <summary>Sends how a payment stands, and keeps what must be sent again.</summary>
    private void Tell(PaymentView view, string requestId, bool late)
    {
        if (state != SessionState.LoggedIn)
        {
            return;
        }

        var now = sessions.Clock.GetUtcNow();
        Send(WireMapping.ToWire(view, requestId, serialNumber, late || IsLate(view, now), now, Reader), money: true);
        if (view.Stage != PaymentStage.Final)
        {
            lock (gate)
            {
                if (open?.ContainsKey(requestId) is not true)
                {
                    (open ??= [])[requestId] = new OpenPayment(Followed: false);
                }
            }

            return;
        }

        if (view.Id.RequestId == requestId && view.Revision > view.ShownRevision)
        {
            lock (gate)
            {
                unconfirmed ??= [];
                unconfirmed.RemoveAll(u => u.View.Id == view.Id);
                unconfirmed.Add(new Unconfirmed(view, now, 0));
                if (unconfirmed.Count > sessions.Options.MaxUnconfirmed)
                {
                    SessionMetrics.Unconfirmed.Add(1);
                    unconfirmed.RemoveAt(0);
                }
            }

            sessions.Watch(this);
        }

        Close(requestId);
    }

    private bool IsLate(PaymentView view, DateTimeOffset now) =>
        view.FinalAt is { } at && now - at > TimeSpan.FromSeconds(sessions.Options.LateAfterSeconds);

    /// <summary>From here nothing may interrupt the terminal. False: it has as many payments as it may have.</summary>
    private bool Begin(string requestId)
    {
        lock (gate)
        {
            if (open?.ContainsKey(requestId) is not true)
            {
                // Payments in doubt from earlier sessions are open too, and must not keep the terminal from selling.
                if (waits >= sessions.Options.MaxConcurrentPayments || open?.Count >= MaxOpen)
                {
                    return false;
                }

                (open ??= [])[requestId] = new OpenPayment(Followed: false);
            }

            return true;
        }
    }

    private void Close(string requestId)
    {
        bool idle;
        lock (gate)
        {
            idle = open?.Remove(requestId) is true && open.Count == 0;
        }

        if (idle && pushWaits)
        {
            _ = PushSafely();
        }
    }

    private CancellationToken Ending()
    {
        lock (gate)
        {
            ending ??= new CancellationTokenSource();
            if (state == SessionState.Ended)
            {
                ending.Cancel();
            }

            return ending.Token;
        }
    }

    private void CancelWaits()
    {
        lock (gate)
        {
            ending?.Cancel();
        }
    }
}
