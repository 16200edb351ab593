using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Gateways;
using DeviceHub.Protocol.Serial;
using Microsoft.Extensions.Options;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>
/// The sessions of this machine's terminals, which are the remote hub's: each life of a link has a connection of its own, made before the terminal is
/// given the link, so that a terminal without a hub knows that it has none.
/// </summary>
internal sealed class HubRelay(IOptions<RemoteHubOptions> options, TimeProvider time, BridgeState state) : ITerminalSessions, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, PortRelay> ports = new();
    private readonly X509Certificate2Collection? ca = LoadCa(options.Value);

    /// <summary>A bridge has no keys, and a serial line no tokens.</summary>
    public ValueTask<bool> CheckToken(string serialNumber, string token, IWire wire) => ValueTask.FromResult(false);

    public bool Takes(LinkHello hello, EndPoint port) => Of(port).Takes(hello.SerialNumber, hello.LargestPayload);

    public ITerminalSession Open(string serialNumber, string? token, IWire wire)
    {
        var port = Of(wire.Remote!);
        return new Session(port, port.Begin(serialNumber, wire));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var port in ports.Values)
        {
            await port.DisposeAsync();
        }
    }

    private static X509Certificate2Collection? LoadCa(RemoteHubOptions options)
    {
        if (!options.Tls || options.CaFile.Length == 0)
        {
            return null;
        }

        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(options.CaFile);
        return roots.Count > 0 ? roots : throw new InvalidDataException($"Hub:CaFile: {options.CaFile} holds no certificate");
    }

    private PortRelay Of(EndPoint port) => ports.GetOrAdd(port.ToString()!, of => new PortRelay(options.Value, ca, time, state.Of(of)));

    /// <param name="connection">Null: it ended before the session began.</param>
    private sealed class Session(PortRelay port, HubConnection? connection) : ITerminalSession
    {
        public ValueTask Receive(ReadOnlyMemory<byte> payload) => connection?.Publish(payload) ?? ValueTask.CompletedTask;

        public void ReceiverReady()
        {
        }

        public ValueTask DisposeAsync() => port.End(connection);
    }
}
