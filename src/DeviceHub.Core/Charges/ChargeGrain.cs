using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Charges;

/// <summary>
/// The shell around <see cref="ChargeDecisions"/>. It may die at any time: the row has the time at which somebody must look again, and the
/// ledger consumes the row by itself.
/// </summary>
[GrainType("charge")]
[CollectionAgeLimit(Minutes = 2)]
internal sealed partial class ChargeGrain(
    IChargeStore store, TimeProvider clock, IOptions<ChargeOptions> options, IHostApplicationLifetime lifetime, ILogger<ChargeGrain> logger) : Grain, IChargeGrain
{
    private const int MaxSaves = 8;
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(20);

    private readonly ChargeOptions options = options.Value;
    private string id = "";
    private Charge? charge;

    /// <summary>As it stood when it was last looked at; null: there is none.</summary>
    private PaymentView? payment;

    /// <summary>Wall time read once and moved by the monotonic clock, so that a jump of the wall clock moves no deadline.</summary>
    private DateTimeOffset anchor;
    private long anchorTicks;
    private IGrainTimer? timer;
    private TaskCompletionSource? changed;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        id = this.GetPrimaryKeyString();
        (anchor, anchorTicks) = (clock.GetUtcNow(), clock.GetTimestamp());
        await Reload();
        Arm();
    }

    public async Task<ChargeAnswer> Open(NewCharge wanted)
    {
        var admission = await Terminal(wanted.SerialNumber).MayCollect(wanted.AmountFen);
        if (wanted.OnlyOf is { } own && admission.MerchantId != own)
        {
            // Others' terminals are as unknown to it as those that there are not.
            DeactivateOnIdle();
            return new(null, new(RefusalCode.NotActive, $"no terminal {wanted.SerialNumber} is known"));
        }

        if (admission is { Refusal: { } refusal })
        {
            // A repeat is answered with its charge, whatever the terminal may today.
            DeactivateOnIdle();
            return admission.MerchantId is { } known && await store.FindByKey(known, wanted.IdempotencyKey) is { } same
                ? await Repeated(same, wanted)
                : new(null, refusal);
        }

        var now = Now();
        var fresh = new Charge
        {
            Id = id,
            SerialNumber = wanted.SerialNumber,
            MerchantId = admission.MerchantId!,
            StoreId = admission.StoreId!,
            OrderNumber = wanted.OrderNumber,
            AmountFen = wanted.AmountFen,
            IdempotencyKey = wanted.IdempotencyKey,
            By = wanted.By,
            CreatedAt = now,
            ExpiresAt = now + wanted.Lifetime,
            Stage = ChargeStage.Sent,
        };
        var opening = await store.Open(fresh, ChargeDecisions.Deadline(fresh, options));
        ChargeMetrics.Count(ChargeMetrics.Asked, "result", opening.Result.ToString());
        if (opening.Result == ChargeOpeningResult.Opened)
        {
            charge = fresh with { Version = 1 };
            Run(ChargeEffects.Collect);
            Arm();
            return new(View(), null, IsNew: true);
        }

        DeactivateOnIdle();
        return opening.Result switch
        {
            ChargeOpeningResult.KeyUsed => await Repeated(opening.Charge!, wanted),
            ChargeOpeningResult.TerminalTaken => new(null, new(RefusalCode.ChargeOpen, $"terminal {wanted.SerialNumber} has an open charge"), Other: opening.Other),
            ChargeOpeningResult.OrderOpen => new(null, new(RefusalCode.OrderOpen, $"order {wanted.OrderNumber} has an open charge or payment"), Other: opening.Other),
            _ => new(null, new(RefusalCode.OrderPaid, $"order {wanted.OrderNumber} is paid"), Other: opening.Other),
        };
    }

    public async Task<ChargeView?> Follow(ChargeStage? known, TimeSpan waitAtMost)
    {
        var from = clock.GetTimestamp();
        waitAtMost = waitAtMost > MaxWait ? MaxWait : waitAtMost;
        while (charge is not null)
        {
            var view = View();
            var left = waitAtMost - clock.GetElapsedTime(from);
            if (view.Stage != known || known == ChargeStage.Closed || left <= TimeSpan.Zero)
            {
                return view;
            }

            changed ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            try
            {
                // A silo that stops waits for its calls: this one goes at once.
                await changed.Task.WaitAsync(left, clock, lifetime.ApplicationStopping);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                return View();
            }
        }

        DeactivateOnIdle();
        return null;
    }

    public async Task<bool> Collecting(string serialNumber)
    {
        await FeedOf(serialNumber, new ChargeInput.Collecting());
        return charge?.SerialNumber == serialNumber && charge.Stage != ChargeStage.Closed;
    }

    public Task EndedAtTerminal(string serialNumber, ChargeEnd end) => FeedOf(serialNumber, new ChargeInput.EndedAtTerminal(end));

    public async Task OrderPaid(string serialNumber, PaymentId payment)
    {
        if ((await GrainFactory.GetGrain<IPaymentGrain>(payment.ToString()).Find(null)).View is { } view)
        {
            await FeedOf(serialNumber, new ChargeInput.OrderPaid(view));
        }
    }

    public async Task<ChargeView?> Cancel(string by)
    {
        if (charge is null)
        {
            RestIfUnknown();
            return null;
        }

        if ((await Feed(new ChargeInput.Cancel())).HasFlag(ChargeEffects.CancelPayment))
        {
            payment = (await Payment()!.Cancel(by)).View;
            Tell();
        }

        return View();
    }

    public async Task Wake()
    {
        await Reload();
        if (charge is null)
        {
            DeactivateOnIdle();
            return;
        }

        Tell();
        await Feed(payment is { } view && !charge.IsOpen ? new ChargeInput.PaymentIs(view) : new ChargeInput.Tick());
    }

    /// <summary>A word of a terminal: of another one's charge it counts for nothing.</summary>
    private Task FeedOf(string serialNumber, ChargeInput input)
    {
        RestIfUnknown();
        return charge?.SerialNumber == serialNumber ? Feed(input) : Task.CompletedTask;
    }

    /// <summary>Decide, write, act. When another was faster, the input is decided upon again.</summary>
    private async Task<ChargeEffects> Feed(ChargeInput input)
    {
        for (var save = 0; save < MaxSaves; save++)
        {
            var before = charge!;
            var decision = ChargeDecisions.Decide(before, input, Now(), options);
            if (decision.Charge != before)
            {
                var after = decision.Charge;
                if (!await store.Save(after, after.IsOpen ? ChargeDecisions.Deadline(after, options) : null, await Notice(before, after)))
                {
                    ChargeMetrics.SavesRepeated.Add(1);
                    await Reload();
                    Tell();
                    continue;
                }

                charge = after with { Version = after.Version + 1 };
                Tell();
                if (before.Stage != ChargeStage.Closed && after.Stage == ChargeStage.Closed)
                {
                    ChargeMetrics.Count(ChargeMetrics.Closed, "end", after.Ended.ToString());
                }
            }

            Run(decision.Effects);
            Arm();
            return decision.Effects;
        }

        LogNotSaved(id);
        return ChargeEffects.None;
    }

    private async Task<ChargeNotice?> Notice(Charge before, Charge after)
    {
        if (after.Stage != ChargeStage.Closed || (before.Stage == ChargeStage.Closed && before.Revision == after.Revision))
        {
            return null;
        }

        if (after.Payment is not null && payment?.Id.ToString() != after.Payment)
        {
            payment = (await GrainFactory.GetGrain<IPaymentGrain>(after.Payment).Find(null)).View;
        }

        var at = Now();
        var noticeId = $"{id}-{after.Revision}";
        return new(noticeId, after.MerchantId, at, JsonSerializer.SerializeToUtf8Bytes(new ChargeEvent(noticeId, at, ChargeEvent.Closed, View(after, payment)), ChargeEvent.Json));
    }

    private void Run(ChargeEffects effects)
    {
        // Losing one is harmless: the collect is sent again, and a request for a closed charge is refused. In a hub that stops no terminal is left to tell.
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return;
        }

        if (effects.HasFlag(ChargeEffects.Collect))
        {
            Terminal(charge!.SerialNumber).Collect(new CollectCall(id, charge.AmountFen, charge.OrderNumber, charge.ExpiresAt)).Ignore();
        }

        if (effects.HasFlag(ChargeEffects.CancelCollect))
        {
            Terminal(charge!.SerialNumber).CancelCollect(id).Ignore();
        }
    }

    private async Task<ChargeAnswer> Repeated(Charge same, NewCharge wanted)
    {
        if (same.SerialNumber != wanted.SerialNumber || same.AmountFen != wanted.AmountFen || same.OrderNumber != wanted.OrderNumber
            || same.ExpiresAt - same.CreatedAt != wanted.Lifetime)
        {
            return new(null, new(RefusalCode.KeyReused, $"the idempotency key was used for charge {same.Id}, which is another one"), Other: same.Id);
        }

        // Its row is written before its grain knows of it, and Wake waits for that.
        var first = GrainFactory.GetGrain<IChargeGrain>(same.Id);
        await first.Wake();
        return new(await first.Follow(null, TimeSpan.Zero), null);
    }

    private async Task Reload()
    {
        charge = await store.Load(id);
        if (charge?.Payment is not null)
        {
            payment = (await Payment()!.Find(null)).View;
        }
    }

    private void Arm()
    {
        timer?.Dispose();
        timer = null;
        if (charge is not null && ChargeDecisions.Next(charge, Now(), options) is { } at)
        {
            var wait = at > Now() ? at - Now() : TimeSpan.Zero;
            DelayDeactivation(wait + TimeSpan.FromMinutes(1));
            timer = this.RegisterGrainTimer(
                static (self, _) => self.Feed(new ChargeInput.Tick()), this, new GrainTimerCreationOptions(wait, Timeout.InfiniteTimeSpan) { KeepAlive = true });
        }
    }

    private void Tell()
    {
        changed?.TrySetResult();
        changed = null;
    }

    private void RestIfUnknown()
    {
        if (charge is null)
        {
            DeactivateOnIdle();
        }
    }

    private ITerminalGrain Terminal(string serialNumber) => GrainFactory.GetGrain<ITerminalGrain>(serialNumber);

    private IPaymentGrain? Payment() => charge?.Payment is { } of ? GrainFactory.GetGrain<IPaymentGrain>(of) : null;

    private DateTimeOffset Now() => anchor + clock.GetElapsedTime(anchorTicks);

    private ChargeView View() => View(charge!, payment);

    private static ChargeView View(Charge charge, PaymentView? payment) => new(
        charge.Id, charge.SerialNumber, charge.MerchantId, charge.StoreId, charge.OrderNumber, charge.AmountFen,
        charge.Stage != ChargeStage.Paying ? charge.Stage : payment?.Stage switch
        {
            PaymentStage.AwaitingCustomer => ChargeStage.AwaitingCustomer,
            PaymentStage.Cancelling => ChargeStage.Cancelling,
            PaymentStage.InDoubt => ChargeStage.InDoubt,
            _ => ChargeStage.Paying,
        },
        charge.Ended, charge.Revision, charge.CreatedAt, charge.ExpiresAt, charge.CollectingAt, charge.EndedAt, payment);

    [LoggerMessage(EventName = "ChargeNotSaved", Level = LogLevel.Warning, Message = "Charge {Id} is being changed by others; it is looked at again when it is due")]
    private partial void LogNotSaved(string id);
}

/// <summary>What a webhook is sent, as JSON.</summary>
/// <param name="Id">The same for the same event, however often it is sent.</param>
/// <param name="At">When it was made.</param>
public sealed record ChargeEvent(string Id, DateTimeOffset At, string Type, ChargeView Charge)
{
    public const string Closed = "charge.closed";

    /// <summary>As the API writes.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };
}
