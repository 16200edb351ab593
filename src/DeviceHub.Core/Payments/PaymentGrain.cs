using System.Diagnostics.CodeAnalysis;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Routing;
using DeviceHub.Core.Terminals;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Payments;

/// <summary>
/// The shell around <see cref="PaymentDecisions"/>: one input at a time is decided upon, appended, and only then acted upon. What a
/// channel answers comes back as an input. The grain may die at any moment: the ledger has the due time of the next step.
/// </summary>
[GrainType("payment")]
[CollectionAgeLimit(Minutes = 2)]
[SuppressMessage("Design", "CA1001", Justification = "a semaphore whose wait handle is never asked for holds nothing to dispose of")]
internal sealed partial class PaymentGrain(
    IPaymentLedger ledger,
    PaymentChannels channels,
    IChannelAccounts accounts,
    IRoutingCore routing,
    HubKeys keys,
    TimeProvider clock,
    PaymentEffects effects,
    IOptions<PaymentOptions> options,
    ILogger<PaymentGrain> logger) : Grain, IPaymentGrain
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(20);

    /// <summary>A session that was told "accepted" asks for the outcome within it, or has died.</summary>
    private static readonly TimeSpan AsksWithin = TimeSpan.FromSeconds(1);

    private readonly PaymentOptions options = options.Value;

    /// <summary>One input at a time. Effects come back on the grain's own scheduler, beside its calls.</summary>
    private readonly SemaphoreSlim turn = new(1, 1);

    private PaymentId id;
    private PaymentState? state;
    private int version;
    private bool loaded;

    /// <summary>Wall time read once and moved by the monotonic clock, so that a jump of the wall clock moves no deadline.</summary>
    private DateTimeOffset anchor;
    private long anchorTicks;

    /// <summary>Only in memory, only until <c>Pay</c> has been called, and from one attempt's proof of having gone nowhere to the next.</summary>
    private PaymentOrder? order;

    /// <summary>The attempt whose answer put <see cref="order"/> back.</summary>
    private int takenUpBy;
    private bool busy;
    private IGrainTimer? timer;
    private TaskCompletionSource? changed;

    /// <summary>When the session that accepted got its answer; it is about to ask for the outcome. Null: it has asked.</summary>
    private long? acceptedFor;
    private int waiting;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        id = PaymentId.Parse(this.GetPrimaryKeyString());
        anchor = clock.GetUtcNow();
        anchorTicks = clock.GetTimestamp();
        return Task.CompletedTask;
    }

    public async Task<PaymentAnswer> Accept(PaymentOrder order)
    {
        await turn.WaitAsync();
        try
        {
            if (state is null && !loaded)
            {
                var answer = await AcceptNew(order);
                if (answer is not null)
                {
                    return answer;
                }
            }
        }
        finally
        {
            turn.Release();
        }

        return await Find(order.Request);
    }

    public async Task<PaymentAnswer> Find(PaymentRequest? request)
    {
        if (!await Load())
        {
            DeactivateOnIdle();
            return new(null, new Refusal(RefusalCode.UnknownPayment, $"no payment {id}"));
        }

        if (request is not null && Differs(request) is { } what)
        {
            PaymentMetrics.Conflicts.Add(1);
            return new(null, new Refusal(RefusalCode.RequestConflict, $"request id {id.RequestId} was used with another {what}"));
        }

        return new(state!.View(), null);
    }

    public async Task<PaymentView> Outcome(PaymentStage known, TimeSpan waitAtMost)
    {
        if (!await Load())
        {
            throw new InvalidOperationException($"payment {id} was asked for its outcome before it was accepted");
        }

        acceptedFor = null;
        var from = clock.GetTimestamp();
        waitAtMost = waitAtMost > MaxWait ? MaxWait : waitAtMost;
        while (state!.Stage == known && known != PaymentStage.Final)
        {
            var left = waitAtMost - clock.GetElapsedTime(from);
            if (left <= TimeSpan.Zero)
            {
                break;
            }

            changed ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting++;
            try
            {
                await changed.Task.WaitAsync(left, clock, effects.Parked);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                break;
            }
            finally
            {
                waiting--;
            }
        }

        return state.View();
    }

    private async Task<bool> Load(bool locked = false)
    {
        if (loaded)
        {
            return state is not null;
        }

        if (!locked)
        {
            await turn.WaitAsync();
        }

        try
        {
            if (!loaded)
            {
                await Reload();

                // Found by somebody else than the one who began it: what is open is taken up again.
                Arm(state is null ? null : Now().At);
            }

            return state is not null;
        }
        finally
        {
            if (!locked)
            {
                turn.Release();
            }
        }
    }

    private async Task Reload()
    {
        var history = await ledger.Read(id);
        state = PaymentState.Fold(id, history?.Events ?? []);
        version = history?.Version ?? 0;
        loaded = state is not null;
        if (history is { Events: [.., var last] } && last.At > Now().At)
        {
            (anchor, anchorTicks) = (last.At, clock.GetTimestamp());
        }
    }

    private async Task<bool> TryReload()
    {
        try
        {
            await Reload();
            return true;
        }
        catch (Exception e)
        {
            LogNotRead(e, id);
            return false;
        }
    }

    private Moment Now() => new(
        anchor + clock.GetElapsedTime(anchorTicks), clock.GetElapsedTime(anchorTicks), busy);

    /// <summary>Decide, append, act. On a conflict the input is fed again to the newer state: evidence is never dropped.</summary>
    private async Task<PaymentDecision> Feed(PaymentInput input, bool effectEnded = false)
    {
        await turn.WaitAsync();
        try
        {
            busy &= !effectEnded;
            for (var tries = 0; ; tries++)
            {
                var decision = PaymentDecisions.Decide(id, state, input, Now(), options);
                if (decision.Events.Count == 0)
                {
                    if (tries == 0 && PaymentDecisions.MayBeBehind(input, decision) && await TryReload())
                    {
                        continue;
                    }

                    Begin(decision);
                    return decision;
                }

                var wrote = await ledger.Append(LedgerAppend.Of(id, version, state, decision));
                if (wrote == WriteResult.Written)
                {
                    var before = state!;
                    (state, version) = (decision.State!, version + 1);
                    Begin(decision);
                    Tell(before, decision.Events);
                    return decision;
                }

                PaymentMetrics.AppendsRepeated.Add(1);
                if (wrote == WriteResult.Conflict && await TryReload())
                {
                    continue;
                }

                // The disk is full, or too busy to be read: what was learnt is kept here and written when it can be.
                if (tries == 0)
                {
                    LogNotWritten(id, input.GetType().Name, wrote);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(tries, 6), 5000)), clock);
            }
        }
        finally
        {
            turn.Release();
        }
    }

    private void Begin(PaymentDecision decision)
    {
        if (decision.Effect is { } effect)
        {
            busy = true;
            timer?.Dispose();
            timer = null;
            _ = Run(effect);
        }
        else if (!busy)
        {
            Arm(decision.Due);
        }
    }

    private void Arm(DateTimeOffset? due)
    {
        timer?.Dispose();
        timer = null;
        if (due is { } at && !busy)
        {
            var wait = at - Now().At;

            // What is due soon, or at the end of I5's wait, keeps the grain; what is due in an hour is the sweeper's. A timer keeps it
            // only when it fires, so a wait near the age at which it is collected is asked for by itself.
            var keeps = wait <= options.For(state!.Current.Channel).NotFoundWait;
            if (keeps && wait >= TimeSpan.FromMinutes(1))
            {
                DelayDeactivation(wait + TimeSpan.FromMinutes(1));
            }

            timer = this.RegisterGrainTimer(
                static (self, _) => self.Wake(),
                this,
                new GrainTimerCreationOptions(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan)
                {
                    KeepAlive = keeps,
                });
        }
    }

    private void Tell(PaymentState before, IReadOnlyList<PaymentEvent> events)
    {
        foreach (var e in events)
        {
            if (e is OutcomeReached outcome)
            {
                PaymentMetrics.Outcomes.Add(1, new KeyValuePair<string, object?>("result", outcome.Result.ToString()));
                PaymentMetrics.OutcomeMs.Record((outcome.At - state!.Accepted.At).TotalMilliseconds);
            }
            else if (e is AttemptStarted)
            {
                PaymentMetrics.Rerouted.Add(1);
            }
            else if (e is RefundStarted { By: var by })
            {
                PaymentMetrics.Refunds.Add(1, new KeyValuePair<string, object?>("by", by is null ? "hub" : "request"));
            }
            else if (e is AttentionNeeded attention)
            {
                PaymentMetrics.Attention.Add(1);
                LogAttention(id, attention.Why);
            }
        }

        if (state!.Stage == before.Stage && state.Outcome?.Revision == before.Outcome?.Revision)
        {
            return;
        }

        changed?.TrySetResult();
        changed = null;
        TellCharge(state.Accepted.ChargeId);

        // Whoever waits has it by now. A change while nobody waits goes by the terminal's grain; its loss is harmless.
        // The terminal of a test knows nothing of it, and at a stop no session is left that it could reach.
        if (waiting == 0 && !id.IsTest && !effects.Parked.IsCancellationRequested && !(acceptedFor is { } at && clock.GetElapsedTime(at) < AsksWithin))
        {
            GrainFactory.GetGrain<ITerminalGrain>(id.SerialNumber).PaymentChanged(state.View()).Ignore();
        }
    }

    [LoggerMessage(EventName = "PaymentNotWritten", Level = LogLevel.Warning, Message = "Payment {Id}: {Input} is not written yet ({Result}); it is tried again")]
    private partial void LogNotWritten(PaymentId id, string input, WriteResult result);

    [LoggerMessage(EventName = "PaymentNotRead", Level = LogLevel.Warning, Message = "Payment {Id} changed elsewhere and could not be read; it is tried again")]
    private partial void LogNotRead(Exception e, PaymentId id);

    [LoggerMessage(EventName = "PaymentAttention", Level = LogLevel.Warning, Message = "Payment {Id} needs a person: {Why}")]
    private partial void LogAttention(PaymentId id, string why);
}
