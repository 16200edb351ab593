using System.Collections.Concurrent;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>How far the terminal of an open port is.</summary>
internal enum PortStage { Waiting, Connecting, Connected, NoHub, RefusedByHub }

/// <summary>What is known of the terminal on a port now.</summary>
/// <param name="SerialNumber">As it says; empty: none has said anything yet.</param>
/// <param name="Detail">Why not, in the words of the network or the hub; else empty.</param>
internal sealed record TerminalLook(PortStage Stage, string SerialNumber, string Detail);

/// <summary>What people are shown of one port's terminal. Written from any thread.</summary>
internal sealed class PortState
{
    private volatile TerminalLook look = new(PortStage.Waiting, "", "");

    public TerminalLook Look => look;

    public void Say(PortStage stage, string serialNumber, string detail = "")
    {
        // Why there was no hub stands until there is one: each try would be two lines for nothing.
        var stillWithout = stage == PortStage.Connecting && look is { Stage: PortStage.NoHub or PortStage.RefusedByHub } last && last.SerialNumber == serialNumber;
        look = stillWithout ? look : new TerminalLook(stage, serialNumber, detail);
    }

    /// <summary>The link is over. If the hub was lost before, that is what stands.</summary>
    public void Left()
    {
        if (look is { Stage: PortStage.Connected } was)
        {
            look = was with { Stage = PortStage.Waiting };
        }
    }
}

/// <summary>All ports'.</summary>
internal sealed class BridgeState
{
    private readonly ConcurrentDictionary<string, PortState> ports = new();

    /// <param name="port">As <see cref="Gateways.IWire.Remote"/> says: <c>serial:NAME</c>.</param>
    public PortState Of(string port) => ports.GetOrAdd(port, _ => new PortState());
}
