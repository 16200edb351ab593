using DeviceHub.Core.People;

namespace DeviceHub.Core.Payments;

/// <summary>What people and programs do about a payment, each with its row in the audit log (I12).</summary>
public sealed class PaymentDesk(IPaymentLedger ledger, IGrainFactory grains, IAuditLog audit)
{
    /// <summary>
    /// Has a payment queried and reversed; how it ends is in its timeline. An answer whose view is approved says that nothing is cancelled: it is paid, and
    /// is refunded instead.
    /// </summary>
    public async Task<PaymentAnswer> Cancel(PaymentId id, Actor actor)
    {
        if (await ledger.Read(id) is null)
        {
            return new(null, Unknown(id));
        }

        var grain = grains.GetGrain<IPaymentGrain>(id.ToString());
        var before = (await grain.Find(null)).View;
        if (before?.Result == PaymentResult.Approved)
        {
            return new(before, null);
        }

        var answer = await grain.Cancel(actor.Name);

        // It may have been paid while it was asked for: then nothing was done.
        if (answer.View is { Result: not PaymentResult.Approved } after)
        {
            await audit.Write(actor, "payment.cancel", "payment:" + id, new { before?.Stage, before?.Result }, new { after.Stage, after.Result });
        }

        return answer;
    }

    /// <summary>Gives money back; the answer says that it is begun. The same key is the same refund, and is in the audit log once.</summary>
    /// <param name="key">1 to 64 characters.</param>
    /// <param name="reason">1 to 80 characters.</param>
    public async Task<RefundAnswer> Refund(PaymentId id, long amountFen, string reason, string key, Actor actor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(amountFen, 1);
        if (await ledger.Read(id) is null)
        {
            return new(null, Unknown(id), 0);
        }

        var grain = grains.GetGrain<IPaymentGrain>(id.ToString());
        var before = await grain.Refunds();
        var answer = await grain.Refund(new RefundRequest(key, amountFen, reason, actor.Name));
        if (answer.Refund is { } refund && before!.Items.All(r => r.Number != refund.Number))
        {
            await audit.Write(actor, "payment.refund", "payment:" + id, new { before.RestFen }, new { refund.Number, refund.AmountFen, reason, answer.RestFen });
        }

        return answer;
    }

    private static Refusal Unknown(PaymentId id) => new(RefusalCode.UnknownPayment, $"no payment {id}");
}
