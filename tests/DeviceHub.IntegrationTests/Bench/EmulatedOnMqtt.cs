using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Emulation;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>An emulated terminal at a hub, and the hands that act upon it.</summary>
internal sealed class EmulatedOnMqtt : IAsyncDisposable
{
    private readonly MqttTerminal terminal;

    public EmulatedOnMqtt(string serialNumber, string activationCode, Fault fault, int port)
    {
        var identity = new TerminalIdentity(serialNumber, "board-1", activationCode);
        terminal = new MqttTerminal(new EmulatedTerminal(identity, null, fault, _ => { }), serialNumber, "127.0.0.1", port, null, _ => { });
        terminal.Start();
    }

    public IJig Hands => new EmulatedHands(terminal.Do, terminal.PowerCut);

    public ValueTask DisposeAsync() => terminal.DisposeAsync();
}
