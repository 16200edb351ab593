namespace DeviceHub.Core.Payments;

/// <summary>What people, terminals, channels and the sweeper ask of a payment that is there.</summary>
internal sealed partial class PaymentGrain
{
    public async Task<PaymentAnswer> Cancel(string by)
    {
        if (!await Load())
        {
            DeactivateOnIdle();
            return new(null, new Refusal(RefusalCode.UnknownPayment, $"no payment {id}"));
        }

        await Feed(new PaymentInput.Cancel(by));
        return new(state!.View(), null);
    }

    public async Task<RefundAnswer> Refund(RefundRequest request)
    {
        if (!await Load())
        {
            DeactivateOnIdle();
            return new(null, new Refusal(RefusalCode.UnknownPayment, $"no payment {id}"), 0);
        }

        var decision = await Feed(new PaymentInput.Refund(request));
        var refund = decision.Refusal is null ? PaymentDecisions.Repeated(decision.State!, request) : null;
        return new(refund?.View(), decision.Refusal, decision.State!.RestFen);
    }

    public async Task<RefundList?> Refunds()
    {
        if (!await Load())
        {
            DeactivateOnIdle();
            return null;
        }

        return new([.. state!.Refunds.Select(r => r.View())], state.RestFen);
    }

    public async Task Noticed(string channelOrderNumber, string? refundNumber, ChannelVerdict verdict)
    {
        if (await Load())
        {
            var decision = await Feed(new PaymentInput.Notice(channelOrderNumber, refundNumber, verdict));
            PaymentMetrics.Notices.Add(1, new KeyValuePair<string, object?>("news", decision.Events.Count > 0));
        }

        Rest();
    }

    public async Task Shown(int revision)
    {
        if (await Load())
        {
            await Feed(new PaymentInput.Shown(revision));
        }

        Rest();
    }

    public async Task Wake()
    {
        if (await Load())
        {
            await Feed(new PaymentInput.Tick());

            // Woken with nothing to do: either it is done, or the ledger is ahead of this activation and the next one will read it.
            if (!busy && timer is null && waiting == 0)
            {
                DeactivateOnIdle();
            }
        }
    }

    /// <summary>Nothing is left to do: the memory is given back.</summary>
    private void Rest()
    {
        if (state is null or { IsFinal: true, IsShown: true } && !busy && timer is null)
        {
            DeactivateOnIdle();
        }
    }
}
