using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Sandbox;

/// <summary>The bank in this process. A cancelled token stops the waiting, never what the bank did.</summary>
internal sealed class SandboxChannel(SandboxBank bank, TimeProvider clock) : IPaymentChannel
{
    internal const string ChannelName = "sandbox";

    public string Name => ChannelName;

    public IReadOnlyList<AccountField> AccountFields => [];

    public Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken) =>
        Task.FromResult(new AccountCheck(true, "the Sandbox takes every account"));

    public Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken) =>
        Answer(bank.Pay(payment.Reference.OrderNumber, payment.Reference.AmountFen, payment.Code, payment.Reference.Account.Id), cancellationToken);

    public Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) =>
        Answer(bank.Query(reference.OrderNumber), cancellationToken);

    public Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) =>
        Answer(bank.Reverse(reference.OrderNumber), cancellationToken);

    public Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken) =>
        Answer(bank.Refund(refund.Reference.OrderNumber, refund.RefundNumber, refund.RefundFen), cancellationToken);

    public Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken) =>
        Answer(bank.QueryRefund(refund.Reference.OrderNumber, refund.RefundNumber), cancellationToken);

    private Task<ChannelVerdict> Answer(SandboxAnswer answer, CancellationToken cancellationToken) =>
        answer.After == TimeSpan.Zero ? Task.FromResult(answer.Verdict) : Late(answer, cancellationToken);

    private async Task<ChannelVerdict> Late(SandboxAnswer answer, CancellationToken cancellationToken)
    {
        await Task.Delay(answer.After, clock, cancellationToken);
        return answer.Verdict;
    }
}
