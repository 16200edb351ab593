using System.Runtime.CompilerServices;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Sandbox;

/// <summary>The bank's own book as its bills, so that reconciliation can be tried end to end.</summary>
/// <param name="bank">Null: the bank is in another process.</param>
internal sealed class SandboxBills(SandboxBank? bank) : IChannelBills
{
    public string Name => SandboxChannel.ChannelName;

    public bool SharesBill(ChannelAccount account, ChannelAccount other) => false;

    public async IAsyncEnumerable<BillRow> Read(ChannelAccount account, DateOnly day, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (bank is null)
        {
            throw new BillException("the Sandbox runs in another process (Sandbox:Url), which gives no bills");
        }

        foreach (var row in bank.Bill(account.Id, day) ?? throw new BillException("the Sandbox keeps no book (Sandbox:Book), so it has no bills"))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return row;
        }
    }
}
