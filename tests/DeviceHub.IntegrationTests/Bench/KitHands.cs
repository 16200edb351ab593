using DeviceHub.IntegrationTests.Firmware;
using DeviceHub.Tools.Bench.Conformance;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The cashier's keys and the plug of a terminal of the C kit.</summary>
/// <param name="start">Starts its program; a power cut kills it first.</param>
internal sealed class KitHands(Func<KitTerminal> start) : IJig, IDisposable
{
    /// <summary>Another one after each power cut.</summary>
    public KitTerminal Terminal { get; private set; } = start();

    /// <summary>What its scanner makes of a code; null: nothing.</summary>
    public Func<JigOrder, string?> Scans { get; set; } = order => order.Code;

    public bool Can(JigAction action) => action != JigAction.FactoryReset;

    public async Task Do(JigOrder order, CancellationToken cancellation)
    {
        switch (order.Action)
        {
            case JigAction.Scan when Scans(order) is { } code:
                // A key first: a result is shown until one is pressed. One that asks for an amount is not left by it.
                await Terminal.Types("ok");
                await Terminal.Types($"scan {code} {order.AmountFen}");
                break;
            case JigAction.Scan:
                await Terminal.Types("ok");
                break;
            case JigAction.Cancel:
                await Terminal.Types("cancel");
                break;
            default:
                Terminal.Dispose();
                Terminal = start();
                break;
        }
    }

    public void Dispose() => Terminal.Dispose();
}
