using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Emulation;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>Hands that act upon an emulated terminal directly, whatever wire it is on.</summary>
internal sealed class EmulatedHands(Action<Action<EmulatedTerminal, long>> act, Action<bool> powerCut) : IJig
{
    public bool Can(JigAction action) => true;

    public Task Do(JigOrder order, CancellationToken cancellation)
    {
        switch (order.Action)
        {
            case JigAction.Scan:
                act((t, now) => t.Scan(order.Code, order.AmountFen, now));
                break;
            case JigAction.Cancel:
                act((t, now) => t.Cancel(now));
                break;
            default:
                powerCut(order.Action == JigAction.FactoryReset);
                break;
        }

        return Task.CompletedTask;
    }
}
