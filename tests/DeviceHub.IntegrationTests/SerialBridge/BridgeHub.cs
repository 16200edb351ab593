using System.Globalization;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.IntegrationTests.Serial;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.SerialBridge;

/// <summary>The whole hub, whose terminals are on serial lines elsewhere and come over MQTT with TLS.</summary>
public sealed class BridgeHub : ServerHub
{
    public const string Collection = "serial bridge";

    protected override string[] Options => ["--Mqtt:TlsPort=0", "--Mqtt:TlsAddress=127.0.0.1"];

    internal int TlsPort => Services.GetRequiredService<MqttAddresses>().Tls!.Port;

    internal string CaFile => Path.Combine(Folder, "tls", "ca.pem");

    /// <summary>The net fen that the bank has taken for this terminal's payments, and how often it charged.</summary>
    internal async Task<(long Fen, int Times)> Charged(string serialNumber)
    {
        var orders = await Services.GetRequiredService<HubReads>().Run((db, _) => Task.FromResult(
            db.Set<ChannelOrderRow>().Where(o => o.Sn == serialNumber).Select(o => o.Number).ToHashSet()));
        var charges = Services.GetRequiredService<SandboxBank>().Charges().Where(c => orders.Contains(c.Order) && c.NetFen > 0).ToList();
        return (charges.Sum(c => c.NetFen), charges.Count);
    }
}

[CollectionDefinition(BridgeHub.Collection)]
public sealed class BridgeGroup : ICollectionFixture<BridgeHub>;

/// <summary>A store: cables, the bridge as a process of its own, and the network to the hub.</summary>
internal sealed class Store : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("bridge-").FullName;
    private readonly BridgeHub hub;
    private ToolProcess? bridge;

    private Store(BridgeHub hub, int cables, bool broken, string[] more)
    {
        this.hub = hub;
        More = more;
        Network = new CutProxy(hub.TlsPort, broken);
        Cables = [.. Enumerable.Range(1, cables).Select(n => new PtyPair(folder, "c" + n.ToString(CultureInfo.InvariantCulture)))];
    }

    public CutProxy Network { get; }

    public IReadOnlyList<PtyPair> Cables { get; }

    /// <summary>Options as <c>Section:Name=value</c>, of the next start.</summary>
    public string[] More { get; set; }

    public string KeyFolder => Path.Combine(folder, "keys");

    /// <summary>What the bridge has printed since its last start.</summary>
    public string Printed => bridge!.Output + bridge.Errors;

    /// <param name="hub">The hub.</param>
    /// <param name="cables">How many ports.</param>
    /// <param name="broken">There is no network yet.</param>
    /// <param name="more">Options as <c>Section:Name=value</c>.</param>
    public static async Task<Store> Open(BridgeHub hub, int cables = 1, bool broken = false, params string[] more)
    {
        var store = new Store(hub, cables, broken, more);
        foreach (var cable in store.Cables)
        {
            await cable.Plug();
        }

        store.StartBridge();
        return store;
    }

    public void StartBridge()
    {
        var ports = string.Join(",\n", Cables.Select((cable, i) => $$"""    "c{{i + 1}}": { "Path": "{{cable.HubEnd}}" }"""));
        File.WriteAllText(Path.Combine(folder, "bridge.json"), $$"""
            {
              "Hub": { "Host": "127.0.0.1", "Port": {{Network.Port}}, "CaFile": "{{hub.CaFile}}", "JitterSeconds": 0, "MaxBackOffSeconds": 1 },
              "Serial": { "RetryMs": 50, "RetryMaxMs": 200, "Ports": {
            {{ports}}
              } }
            }
            """);
        bridge = new ToolProcess("devicehub-serial-bridge.dll", Arguments());
    }

    /// <summary>What <c>ports</c> prints.</summary>
    public async Task<string> Ports()
    {
        using var ports = new ToolProcess("devicehub-serial-bridge.dll", ["ports", .. Arguments()]);
        Assert.True(await ports.Exits(TimeSpan.FromSeconds(20)) == 0, ports.Errors);
        return ports.Output;
    }

    /// <summary>SIGKILL.</summary>
    public void KillBridge() => bridge!.Dispose();

    /// <summary>SIGTERM; its exit code.</summary>
    public async Task<int> StopBridge()
    {
        await bridge!.Terminate();
        return await bridge.Exits(TimeSpan.FromSeconds(20));
    }

    public Task Prints(string words) => Eventually.Holds(() => Printed.Contains(words, StringComparison.Ordinal), $"the bridge prints '{words}'\n{Printed}");

    /// <summary>A terminal on the first cable that has been activated through the bridge and has logged in.</summary>
    public async Task<CableTerminal> LoggedIn()
    {
        var terminal = new CableTerminal(Cables[0].TerminalEnd, ServerHub.NewSerial());
        await terminal.Activate(await hub.NewCode(await hub.NewStore()));
        await terminal.Prove();
        return terminal;
    }

    /// <summary>Logs in on the link that comes up next.</summary>
    public static async Task Again(CableTerminal terminal, Action cause)
    {
        var ups = terminal.Ups;
        cause();
        await Eventually.Holds(() => terminal.Ups > ups, "the link is up again");
        await terminal.LogIn();
    }

    private string[] Arguments() =>
    [
        "--config", Path.Combine(folder, "bridge.json"), "--language", "en",
        .. More.Append("Bridge:KeyFolder=" + KeyFolder).SelectMany(change => (string[])["--set", change]),
    ];

    public async ValueTask DisposeAsync()
    {
        bridge?.Dispose();
        foreach (var cable in Cables)
        {
            cable.Dispose();
        }

        await Network.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
