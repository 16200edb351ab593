using DeviceHub.Core.Payments;

namespace DeviceHub.Storage;

/// <summary>One entry that waits for its commit. Its body is made by its caller, not on the writer's thread.</summary>
internal abstract class LedgerItem(PaymentId id, IReadOnlyList<PaymentEvent> events)
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int Withdrawn = 2;
    private int state = Waiting;

    public PaymentId Id => id;

    public byte[] Body { get; } = PaymentEventJson.Write(events);

    public abstract int Version { get; }

    public abstract PaymentState? After { get; }

    /// <summary>What it will be answered if the commit succeeds.</summary>
    public WriteResult Result { get; set; }

    public AcceptCollision Collision { get; set; }

    public PaymentId Other { get; set; }

    public bool TryTake() => Interlocked.CompareExchange(ref state, Taken, Waiting) == Waiting;

    public bool TryWithdraw() => Interlocked.CompareExchange(ref state, Withdrawn, Waiting) == Waiting;

    public abstract void Answer(WriteResult result);

    public void Answer() => Answer(Result);
}

internal sealed class AcceptItem(LedgerAccept accept) : LedgerItem(accept.Id, accept.Events)
{
    private static readonly AcceptAnswer Written = new(WriteResult.Written);
    private readonly TaskCompletionSource<AcceptAnswer> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration withdrawal;

    public LedgerAccept Accept => accept;

    public override int Version => 1;

    public override PaymentState? After => accept.After;

    public Task<AcceptAnswer> Task => answer.Task;

    public void WithdrawBy(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            withdrawal = token.UnsafeRegister(static item => ((AcceptItem)item!).Withdraw(), this);
        }
    }

    public override void Answer(WriteResult result)
    {
        withdrawal.Dispose();
        StorageMetrics.Entries.Add(1, new KeyValuePair<string, object?>("result", result.ToString()));
        answer.TrySetResult(result switch
        {
            WriteResult.Written => Written,
            WriteResult.Conflict => new AcceptAnswer(result, Collision, Other),
            _ => new AcceptAnswer(result),
        });
    }

    private void Withdraw()
    {
        if (TryWithdraw())
        {
            answer.TrySetResult(new AcceptAnswer(WriteResult.NotWritten));
        }
    }
}

internal sealed class AppendItem(LedgerAppend append) : LedgerItem(append.Id, append.Events)
{
    private readonly TaskCompletionSource<WriteResult> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LedgerAppend Append => append;

    public override int Version => append.Version;

    public override PaymentState? After => append.After;

    public Task<WriteResult> Task => answer.Task;

    public override void Answer(WriteResult result)
    {
        StorageMetrics.Entries.Add(1, new KeyValuePair<string, object?>("result", result.ToString()));
        answer.TrySetResult(result);
    }
}
