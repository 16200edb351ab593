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

    /// <summary>The session ends when no payment is open: its terminal has to log in anew.</summary>
    private bool logInWaits;

    /// <param name="Followed">Somebody in this session waits for its outcome and will tell of every change.</param>
    /// <param name="Doubtful">Nobody knows whether it was accepted; asked at the next heartbeat.</param>
    private readonly record struct OpenPayment(bool Followed, bool Doubtful = false);

    private IPaymentGrain Payment(string requestId) => sessions.Payment(serialNumber, requestId);

    private ValueTask Money(Uplink message) => message.BodyCase switch
    {
        Uplink.BodyOneofCase.PaymentRequest => Pay(message.PaymentRequest),
        Uplink.BodyOneofCase.PaymentQuery => Query(message.PaymentQuery.RequestId),
        Uplink.BodyOneofCase.PaymentCancel => Cancel(message.PaymentCancel.RequestId),
        Uplink.BodyOneofCase.Collecting => Collecting(message.Collecting.ChargeId),
        Uplink.BodyOneofCase.CollectEnded => CollectEnded(message.CollectEnded),
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
        if (!Begin(requestId, out var isNew))
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
            if (isNew)
            {
                Close(requestId);
            }

            Refuse(new Core.Refusal(RefusalCode.Busy, "the hub could not look at the request", RetryAfter: RetryAfter), requestId);
            return;
        }

        if (admission.Refusal is { Code: RefusalCode.StaleSession } stale)
        {
            Refuse(stale, requestId);
            return;
        }

        try
        {
            await (admission.Refusal is { } refusal ? RefuseUnlessKnown(request, refusal) : Accept(admission.Order!));
        }
        catch
        {
            // Nobody knows whether it was accepted: the session stays silent, the terminal repeats, and the next heartbeat asks.
            Doubt(requestId);
            throw;
        }
    }

    private async ValueTask Accept(PaymentOrder order)
    {
        var requestId = order.Id.RequestId;
        try
        {
            Answer(await Payment(requestId).Accept(order), requestId);
        }
        finally
        {
            if (state == SessionState.Ended)
            {
                // The session's end could not see this payment yet.
                await HandOver(requestId);
            }
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

    /// <summary>From here nothing may interrupt the terminal. False: it has as many payments as it may have.</summary>
    /// <param name="isNew">This message began it, and no earlier one.</param>
    private bool Begin(string requestId, out bool isNew)
    {
        lock (gate)
        {
            var payment = default(OpenPayment);
            isNew = open?.TryGetValue(requestId, out payment) is not true;
            if (isNew)
            {
                // Payments in doubt from earlier sessions are open too, and must not keep the terminal from selling.
                if (waits >= sessions.Options.MaxConcurrentPayments || open?.Count >= MaxOpen)
                {
                    return false;
                }

                (open ??= [])[requestId] = new OpenPayment(Followed: false);
            }
            else if (payment.Doubtful)
            {
                open![requestId] = new OpenPayment(Followed: false);
            }

            return true;
        }
    }

    private void Doubt(string requestId)
    {
        lock (gate)
        {
            if (open?.TryGetValue(requestId, out var payment) is true && !payment.Followed)
            {
                open[requestId] = new OpenPayment(Followed: false, Doubtful: true);
            }
        }
    }

    /// <summary>What the ledger does not know is not open; what it knows is answered like a query.</summary>
    private async ValueTask FindDoubtful()
    {
        string[] doubtful;
        lock (gate)
        {
            doubtful = open is null ? [] : [.. open.Where(o => o.Value.Doubtful).Select(o => o.Key)];
        }

        foreach (var requestId in doubtful)
        {
            var found = await Payment(requestId).Find(null);
            lock (gate)
            {
                if (open?.TryGetValue(requestId, out var payment) is not true || !payment.Doubtful)
                {
                    continue;
                }
            }

            if (found.View is not null)
            {
                Answer(found, requestId);
            }
            else
            {
                Close(requestId);
            }
        }
    }

    /// <summary>The operator takes payments of this terminal again. What is open is finished first.</summary>
    public void Resumed()
    {
        lock (gate)
        {
            logInWaits = toldSuspended && state == SessionState.LoggedIn;
            if (!logInWaits || open is { Count: > 0 })
            {
                return;
            }
        }

        End(CutReason.Resumed);
    }

    private void Close(string requestId)
    {
        bool idle;
        lock (gate)
        {
            idle = open?.Remove(requestId) is true && open.Count == 0;
        }

        if (idle && logInWaits)
        {
            End(CutReason.Resumed);
        }
        else if (idle && pushWaits)
        {
            _ = PushSafely();
        }
    }
}
