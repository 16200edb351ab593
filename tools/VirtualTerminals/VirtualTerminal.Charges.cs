using DeviceHub.Protocol.Wire;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>Charges from the till: some moments after a collect there is a customer who shows a code.</summary>
public sealed partial class VirtualTerminal
{
    /// <summary>The charge whose amount it shows; null: none.</summary>
    private volatile string? collecting;

    private async Task Collect(TerminalSession mine, Collect collect, CancellationToken cancellation)
    {
        var id = collect.ChargeId;
        if (collecting == id || open.Values.Any(p => p.ChargeId == id))
        {
            await mine.Send(new Uplink { Collecting = new Collecting { ChargeId = id } }, cancellation);
        }
        else if (!open.IsEmpty)
        {
            await mine.Send(new Uplink { CollectEnded = new CollectEnded { ChargeId = id, Reason = CollectEnded.Types.Reason.Busy } }, cancellation);
        }
        else
        {
            collecting = id;
            await mine.Send(new Uplink { Collecting = new Collecting { ChargeId = id } }, cancellation);
            _ = Scan(mine, collect, cancellation);
        }
    }

    private async Task Scan(TerminalSession mine, Collect collect, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(setup.ScanAfter, cancellation);
            if (collecting == collect.ChargeId)
            {
                // From here it is a payment, which outlives this session; a terminal scans one code a collect.
                collecting = null;
                await Pay(mine, (long)collect.AmountFen, PaymentCodes.Random(), collect.OrderNumber.Length == 0 ? null : collect.OrderNumber, collect.ChargeId, stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The connection ended before the scan, or the terminal was switched off.
        }
    }
}
