using DeviceHub.Core;
using DeviceHub.Core.Payments;

namespace DeviceHub.Simulation;

/// <summary>A new payment, its repeats, and questions.</summary>
internal sealed partial class SimulatedActivation
{
    /// <summary>Oftener than other commits: what a payment that is sent too late does needs a long one.</summary>
    private const double AcceptStalls = 0.02;

    /// <summary>The insert's conflict says whether it existed, not a read.</summary>
    public void Accept(PaymentOrder order, string fingerprint, Action<PaymentAnswer> answer) => Take(() =>
    {
        if (loaded)
        {
            answer(Found(order.Request, fingerprint));
            Release();
            return;
        }

        var decision = seams.Decide(id, null, new PaymentInput.Request(order, fingerprint, choose([])), Now(), options);
        if (seams.AnswersBeforeItStores)
        {
            answer(new(decision.State!.View(), null));
        }

        if (seams.ActsBeforeItStores)
        {
            Run(decision.Effect!, decision.State!);
        }

        var accept = ToAccept(order, decision);
        var collision = new AcceptAnswer(WriteResult.NotWritten);
        Step(() => (collision = store.Accept(ledger, accept)).Result, _ => Accepted(order, fingerprint, decision, collision, answer), AcceptStalls);
    });

    public void Find(PaymentRequest? request, string fingerprint, Action<PaymentAnswer> answer) => Take(() =>
    {
        if (!loaded)
        {
            Reload();
            if (loaded)
            {
                // Found by somebody else than the one who began it: what is open is taken up again.
                Arm(Now().At);
            }
        }

        answer(Found(request, fingerprint));
        Release();
        Rest();
    });

    private void Accepted(PaymentOrder order, string fingerprint, PaymentDecision decision, AcceptAnswer wrote, Action<PaymentAnswer> answer)
    {
        switch (wrote)
        {
            case { Result: WriteResult.Written }:
                (state, version, loaded) = (decision.State, 1, true);
                if (!seams.ActsBeforeItStores)
                {
                    Begin(decision);
                }

                answer(new(state!.View(), null));
                Release();
                return;
            case { Result: WriteResult.Conflict, Collision: AcceptCollision.None } or { Result: WriteResult.Unknown }:
                if (seams.ActsAfterConflict)
                {
                    Run(decision.Effect!, decision.State!);
                }

                Load();
                answer(loaded ? Found(order.Request, fingerprint) : NoStorage());
                break;
            case { Collision: AcceptCollision.OrderPaid }:
                answer(new(store.Payments.First(p => p.Id == wrote.Other).State!.View(), null));
                break;
            case { Result: WriteResult.Conflict }:
                answer(new(null, new Refusal(Why(wrote.Collision), "in the way", wrote.Other.RequestId)));
                break;
            default:
                answer(NoStorage());
                break;
        }

        Release();
        if (loaded)
        {
            Wake();
        }

        Rest();
    }

    private LedgerAccept ToAccept(PaymentOrder order, PaymentDecision decision)
    {
        var (request, at) = (order.Request, decision.State!.Accepted.At);
        return new(
            id, decision.Events, order.MerchantId, request.OrderNumber, request.AmountFen, decision.State.Current.OrderNumber, at, decision.Due!.Value,
            request.OrderNumber is null ? at - options.DuplicateWindow : null, request.RepeatConfirmed ? request.RepeatOf : null, request.ChargeId);
    }

    private static RefusalCode Why(AcceptCollision collision) => collision switch
    {
        AcceptCollision.OrderOpen => RefusalCode.OrderOpen,
        AcceptCollision.ChargeClosed => RefusalCode.ChargeClosed,
        _ => RefusalCode.PossibleDuplicate,
    };

    private static PaymentAnswer NoStorage() => new(null, new Refusal(RefusalCode.Storage, "the ledger cannot take payments now", RetryAfter: TimeSpan.FromSeconds(3)));

    private PaymentAnswer Found(PaymentRequest? request, string fingerprint) =>
        state is null ? new(null, new Refusal(RefusalCode.UnknownPayment, "no such payment"))
        : request is not null && !seams.TakesOtherContents && !IsSame(state.Accepted, request, fingerprint) ? new(null, new Refusal(RefusalCode.RequestConflict, "used with other contents"))
        : new(state.View(), null);

    private static bool IsSame(PaymentAccepted known, PaymentRequest request, string fingerprint) =>
        (known.AmountFen, known.Currency, known.OrderNumber, known.CodeFingerprint) == (request.AmountFen, request.Currency, request.OrderNumber, fingerprint);
}
