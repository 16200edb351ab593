using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>
/// The hub as a process, watched from outside as an operator watches it: its counters over <c>/metrics</c>, its log as it printed it. A
/// terminal is there all the time and must be served. An error in its log fails it, and so does a secret of its terminals, though it logs all
/// that it can.
/// </summary>
public abstract partial class AttackHub(TimeSpan keepAlive, params string[] options) : IAsyncLifetime
{
    /// <summary>A model that does not seal, for clients that are bytes only.</summary>
    internal const string Unsealed = "plain-scanner";

    private static int serials;

    private readonly HubProcess hub = new(
        null,
        [
            $"--Terminals:Models:{Unsealed}:Seals=false", $"--Terminals:Models:{Unsealed}:AllowUnsealedInProduction=true",
            "--Logging:LogLevel:DeviceHub=Trace", .. options,
        ]);
    private readonly HttpClient api = new(new HttpClientHandler { CookieContainer = new CookieContainer() });
    private string storeId = "";
    private TestTerminal? bystander;

    /// <summary>Payment codes, keys, tokens and activation codes that were used: none is ever printed.</summary>
    internal ConcurrentBag<string> Secrets { get; } = [];

    internal int Port => hub.MqttPort;

    internal int TlsPort => hub.MqttTlsPort;

    internal string CaFile => Path.Combine(hub.DataFolder, "tls", "ca.pem");

    public async ValueTask InitializeAsync()
    {
        await hub.Start();
        await SignIn();
        var merchant = await Post("merchants", new { name = "Noodle shop" });
        storeId = (await Post("stores", new { merchantId = merchant.GetProperty("id").GetString(), name = "Main street" })).GetProperty("id").GetString()!;
        bystander = await LoggedIn();
    }

    public async ValueTask DisposeAsync()
    {
        if (bystander is not null)
        {
            await bystander.DisposeAsync();
        }

        var output = hub.Output;
        await hub.DisposeAsync();
        api.Dispose();
        var lines = output.Split('\n');
        Assert.True(lines.Length < HubProcess.MaxLines, "the hub printed more than is kept");
        Assert.DoesNotContain(lines, line => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal));

        // Hex is written in either case.
        Assert.DoesNotContain(Secrets, secret => output.Contains(secret, StringComparison.OrdinalIgnoreCase));
        GC.SuppressFinalize(this);
    }

    internal static string NewSerial() => $"ATT-{Interlocked.Increment(ref serials):00000}";

    internal async Task<string> NewActivationCode(string model = "sealing") =>
        (await Post("activation-codes", new { storeId, model, uses = 1 })).GetProperty("code").GetString()!;

    /// <summary>A terminal with a key that has logged in before.</summary>
    internal async Task<TestTerminal> Activated(string model = "sealing")
    {
        await using var activating = new TestTerminal(NewSerial(), Port) { Secrets = Secrets };
        var key = await activating.Activate(await NewActivationCode(model));
        await using (var first = new TestTerminal(activating.SerialNumber, Port) { Key = key, Secrets = Secrets })
        {
            await first.Login();
        }

        return new TestTerminal(activating.SerialNumber, Port) { Key = key, KeepAlive = keepAlive, Secrets = Secrets };
    }

    internal async Task<TestTerminal> LoggedIn(string model = "sealing")
    {
        var terminal = await Activated(model);
        await terminal.Login();
        return terminal;
    }

    internal string Token(TestTerminal terminal)
    {
        var token = Login.Token(terminal.Key!, terminal.SerialNumber, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        Secrets.Add(token);
        return token;
    }

    /// <summary>The terminal on a bare socket, logged in by token, with JSON, up to <c>synced</c>; all that came so far is read.</summary>
    /// <param name="qos">Of its subscription.</param>
    /// <param name="properties">Of CONNECT.</param>
    internal async Task<SocketTerminal> OnSocket(
        TestTerminal terminal, IPAddress from, byte qos = 1, bool smallWindow = false, bool v5 = true, bool clean = true, ushort keepAlive = 60, byte[]? properties = null)
    {
        var client = await RawClient.Open(Port, from, smallWindow);
        await client.Send(Packets.Connect(terminal.SerialNumber, Token(terminal), keepAlive, v5, clean, properties: properties));
        var connAck = await client.Expect(Packet.ConnAck);
        Assert.Equal(0, connAck.Reason);
        await client.Send(Packets.Subscribe(Names.DownTopic(terminal.SerialNumber), qos: qos, v5: v5));
        await client.Expect(Packet.SubAck);
        var connected = new SocketTerminal(terminal.SerialNumber, client, connAck, v5, Secrets);
        await connected.Send(Hello);
        await connected.UntilSynced();
        return connected;
    }

    /// <summary>Makes the hub answer more than the kernel's buffers hold to a terminal that does not read; it stands still then.</summary>
    internal async Task Stuff(SocketTerminal deaf)
    {
        const int messages = 30_000;
        var refusals = await Watch("session.refusals", "Malformed");
        await deaf.Client.Send([.. Enumerable.Range(0, messages).SelectMany(_ => deaf.Nonsense(qos: 0))]);
        await refusals.Grew(messages);
    }

    /// <summary>A terminal that was there all the time pays.</summary>
    internal async Task ServesOthers()
    {
        var outcome = await bystander!.PayForOutcome(bystander.Request((ulong)(3000 + (Interlocked.Increment(ref serials) * 100))));
        Assert.Equal(Outcome.Types.Result.Approved, outcome.Result);
        await bystander.Shown(outcome);
    }

    /// <summary>Until the hub's process rests for a second; one that spins never does.</summary>
    internal async Task ComesToRest()
    {
        using var process = System.Diagnostics.Process.GetProcessById(hub.Id);
        var (used, since) = (process.TotalProcessorTime, TimeProvider.System.GetTimestamp());
        await Eventually.Becomes(
            () =>
            {
                var elapsed = TimeProvider.System.GetElapsedTime(since);
                if (elapsed < TimeSpan.FromSeconds(1))
                {
                    return Task.FromResult(double.NaN);
                }

                process.Refresh();
                var share = (process.TotalProcessorTime - used) / elapsed;
                (used, since) = (process.TotalProcessorTime, TimeProvider.System.GetTimestamp());
                return Task.FromResult(share);
            },
            share => share < 0.4,
            "the share of a processor that the hub uses in a second is below 0.4");
    }

    /// <summary>The hub's resident memory in bytes.</summary>
    internal long Memory()
    {
        using var process = System.Diagnostics.Process.GetProcessById(hub.Id);
        return process.WorkingSet64;
    }

    /// <summary>A counter as it stands now; <see cref="Watched.Grew"/> tells whether it has grown.</summary>
    /// <param name="counter">As in the code, <c>mqtt.refused</c>.</param>
    /// <param name="tag">The value of any of its tags; null: the sum over all.</param>
    internal async Task<Watched> Watch(string counter, string? tag = null) =>
        new($"{counter} {tag}", () => Counted(counter, tag), await Counted(counter, tag));

    /// <summary>The counter for one reason of refusal by the endpoint.</summary>
    internal Task<Watched> WatchRefused(string reason) => Watch("mqtt.refused", reason);

    /// <summary>Lines of the log that hold all of these.</summary>
    internal int Logged(params string[] texts) => hub.Output.Split('\n').Count(line => texts.All(t => line.Contains(t, StringComparison.Ordinal)));

    private async Task<double> Counted(string counter, string? tag = null)
    {
        var name = counter.Replace('.', '_');
        var text = await api.GetStringAsync(new Uri(hub.Url, "/metrics"));
        return text.Split('\n')
            .Where(line => (line.StartsWith(name + "_total{", StringComparison.Ordinal) || line.StartsWith(name + "{", StringComparison.Ordinal))
                && (tag is null || line.Contains($"=\"{tag}\"", StringComparison.Ordinal)))
            .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture));
    }

    /// <summary>The terminal's payments, once the list has caught up with the ledger as it is now.</summary>
    internal async Task<int> Payments(TestTerminal terminal)
    {
        // The bystander's next payment is in the ledger after them; when the list has it, it has them.
        var request = bystander!.Request((ulong)(3000 + (Interlocked.Increment(ref serials) * 100)));
        await bystander.Shown(await bystander.PayForOutcome(request));
        await Eventually.Holds(
            async () => (await Get($"payments?serialNumber={bystander.SerialNumber}&pageSize=1")).GetProperty("items")[0].GetProperty("requestId").GetString() == request.RequestId,
            "the list of payments catches up");
        return (await Get($"payments?serialNumber={terminal.SerialNumber}")).GetProperty("items").GetArrayLength();
    }

    private async Task<JsonElement> Get(string path) => await api.GetFromJsonAsync<JsonElement>(new Uri(hub.Url, "/api/v1/" + path));

    private async Task<JsonElement> Post(string path, object body)
    {
        using var answer = await api.PostAsJsonAsync(new Uri(hub.Url, "/api/v1/" + path), body);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>As a person once, then with a key, as programs do.</summary>
    private async Task SignIn()
    {
        using var browser = new Caller(hub.Url);
        await browser.FirstSignIn("admin", hub.FirstPassword!, ServerHub.OwnPassword);
        var (key, _) = await ServerHub.CreateKey(browser, "admin", "metrics", "read");
        Secrets.Add(key);
        api.DefaultRequestHeaders.Add("X-Api-Key", key);
    }

    private static Uplink Hello => new()
    {
        Hello = new Hello
        {
            ProtocolVersion = 1,
            HardwareId = "HW-1",
            BootReason = BootReason.PowerOn,
            Firmware = "test",
            MaxMessageBytes = 4096,
            TextEncoding = TextEncoding.Utf8,
            TerminalNonce = Google.Protobuf.ByteString.CopyFrom(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16)),
        },
    };
}

/// <summary>The limits as they are delivered, but for waits, which are shorter, and the burst of packets.</summary>
public sealed class StrictHub() : AttackHub(
    TimeSpan.FromSeconds(60), "--Mqtt:ConnectSeconds=2", "--Mqtt:LoginSeconds=6", "--Mqtt:AcknowledgeSeconds=4", "--Mqtt:MinKeepAliveSeconds=1", "--Mqtt:PacketBurst=200",
    "--Mqtt:ConnectIntervalSeconds=1");

/// <summary>A hub that lets terminals send as fast as they can, so that what holds is its back-pressure.</summary>
public sealed class FastHub() : AttackHub(
    TimeSpan.FromSeconds(1), "--Mqtt:PacketsPerSecond=1000000", "--Mqtt:PacketBurst=1000000", "--Mqtt:BytesPerSecond=100000000", "--Mqtt:SlowReaderSeconds=3",
    "--Mqtt:MaxQueuedMessages=100000", "--Mqtt:MaxQueuedBytes=10485760", "--Mqtt:MinKeepAliveSeconds=1", "--Mqtt:MaxKeepAliveSeconds=3");

[CollectionDefinition(Name)]
public sealed class AttackGroup : ICollectionFixture<StrictHub>, ICollectionFixture<FastHub>
{
    public const string Name = "attacks";
}
