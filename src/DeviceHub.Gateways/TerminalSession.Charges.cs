using DeviceHub.Core.Charges;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.Gateways;

/// <summary>Charges from the till: what the terminal is to collect, and what it says of it. The scan that answers one is a payment like any other.</summary>
internal sealed partial class TerminalSession
{
    /// <summary>Came between login and <see cref="synced"/>.</summary>
    private CollectCall? collect;

    /// <summary>The till wants an amount. Sent again for each call: the terminal takes it for the same.</summary>
    public void Collect(CollectCall call)
    {
        lock (gate)
        {
            if (!synced)
            {
                collect = call;
                return;
            }
        }

        if (state == SessionState.LoggedIn && WireMapping.ToWire(call, sessions.Clock.GetUtcNow()) is { } message)
        {
            Send(new Downlink { Collect = message }, money: true);
        }
    }

    /// <summary>The till, or the time, has closed it.</summary>
    public void CancelCollect(string chargeId)
    {
        lock (gate)
        {
            if (!synced)
            {
                collect = collect?.ChargeId == chargeId ? null : collect;
                return;
            }
        }

        if (state == SessionState.LoggedIn)
        {
            Send(new Downlink { CollectCancel = new() { ChargeId = chargeId } }, money: true);
        }
    }

    private async ValueTask Collecting(string chargeId)
    {
        if (!await sessions.Charge(chargeId).Collecting(serialNumber))
        {
            CancelCollect(chargeId);
        }
    }

    private async ValueTask CollectEnded(CollectEnded ended) =>
        await sessions.Charge(ended.ChargeId).EndedAtTerminal(serialNumber, WireMapping.ToDomain(ended.Reason));
}
