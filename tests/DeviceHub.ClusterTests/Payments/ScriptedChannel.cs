using System.Collections.Concurrent;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.ClusterTests.Payments;

/// <summary>A channel whose answers a test gives one by one; a call without an answer waits for one.</summary>
internal sealed class ScriptedChannel : IPaymentChannel
{
    private readonly ConcurrentDictionary<EffectKind, ConcurrentQueue<TaskCompletionSource<ChannelVerdict>>> answers = new();
    private readonly ConcurrentDictionary<EffectKind, ConcurrentQueue<TaskCompletionSource<ChannelVerdict>>> calls = new();
    private readonly Lock gate = new();

    public string Name => "sandbox";

    public IReadOnlyList<AccountField> AccountFields => [];

    public ConcurrentQueue<EffectKind> Log { get; } = new();

    public ConcurrentQueue<string> Codes { get; } = new();

    /// <summary>Of each payment: where it went, and under which number.</summary>
    public ConcurrentQueue<(string Account, string Order)> Paid { get; } = new();

    public void Say(EffectKind call, ChannelVerdict verdict)
    {
        lock (gate)
        {
            if (Queue(calls, call).TryDequeue(out var open))
            {
                open.SetResult(verdict);
                return;
            }

            var answer = new TaskCompletionSource<ChannelVerdict>(TaskCreationOptions.RunContinuationsAsynchronously);
            answer.SetResult(verdict);
            Queue(answers, call).Enqueue(answer);
        }
    }

    public Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken) => throw new NotSupportedException("payments never ask for it");

    public Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken)
    {
        Codes.Enqueue(payment.Code.Reveal());
        Paid.Enqueue((payment.Reference.Account.Id, payment.Reference.OrderNumber));
        return Answer(EffectKind.Pay);
    }

    public Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) => Answer(EffectKind.Query);

    public Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) => Answer(EffectKind.Reverse);

    public Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken) => Answer(EffectKind.Refund);

    public Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken) => Answer(EffectKind.QueryRefund);

    private Task<ChannelVerdict> Answer(EffectKind call)
    {
        lock (gate)
        {
            Log.Enqueue(call);
            if (Queue(answers, call).TryDequeue(out var answer))
            {
                return answer.Task;
            }

            var open = new TaskCompletionSource<ChannelVerdict>(TaskCreationOptions.RunContinuationsAsynchronously);
            Queue(calls, call).Enqueue(open);
            return open.Task;
        }
    }

    private static ConcurrentQueue<TaskCompletionSource<ChannelVerdict>> Queue(
        ConcurrentDictionary<EffectKind, ConcurrentQueue<TaskCompletionSource<ChannelVerdict>>> of, EffectKind call) => of.GetOrAdd(call, _ => new());
}
