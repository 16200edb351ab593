using System.Globalization;
using System.Net;
using DeviceHub.Protocol.Wire;
using DeviceHub.Server.Hosting;
using DeviceHub.Tests;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>The process on an operator's machine: beside another, refused, misconfigured, stopped.</summary>
public sealed class HostingTests
{
    [Fact]
    public async Task Two_hubs_run_beside_each_other_and_know_nothing_of_each_other()
    {
        await using var first = await OperatedHub.Start();
        await using var second = await OperatedHub.Start();
        await using var terminal = await first.LoggedIn();
        await using var another = await second.LoggedIn();
        foreach (var one in (BadInput.TestTerminal[])[terminal, another])
        {
            var outcome = await one.PayForOutcome(one.Request(1200));
            Assert.Equal(Outcome.Types.Result.Approved, outcome.Result);
        }

        Assert.Equal([terminal.SerialNumber], await Serials(first));
        Assert.Equal([another.SerialNumber], await Serials(second));
        foreach (var hub in (OperatedHub[])[first, second])
        {
            var listening = Listening(hub.Process.Id);
            var known = new[] { hub.Process.HttpPort, hub.Process.MqttPort, hub.Process.MqttTlsPort };
            var silo = Assert.Single(listening, l => !known.Contains(l.Port));
            Assert.Equal(4, listening.Count);
            Assert.True(IPAddress.IsLoopback(silo.Address), $"the silo listens on {silo}");
        }
    }

    [Fact]
    public async Task Second_hub_on_the_same_folder_is_refused_in_words()
    {
        await using var first = new HubProcess();
        await first.Start();
        await using var second = new HubProcess(first.DataFolder);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(second.Start);
        Assert.Contains("in use by another hub", second.Output, StringComparison.Ordinal);
        AssertRefused(second, refused);
    }

    [Fact]
    public async Task Hub_watches_no_files_since_its_own_writes_would_wake_it()
    {
        await using var hub = new HubProcess();
        await hub.Start();
        var watches = Directory.EnumerateFiles($"/proc/{hub.Id}/fd").Select(fd => new FileInfo(fd).LinkTarget).Where(target => target?.Contains("inotify", StringComparison.Ordinal) is true);
        Assert.Empty(watches);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Calls_of_grains_pass_the_Orleans_dashboards_filter_only_when_an_option_says_so(bool profile)
    {
        var folder = Directory.CreateTempSubdirectory("hub-").FullName;
        try
        {
            await using var app = HubApplication.Build([$"--Server:DataFolder={folder}", $"--Server:ProfileGrains={profile}"]);
            Assert.Equal(profile ? 1 : 0, app.Services.GetServices<IIncomingGrainCallFilter>().Count());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("--Mqtt:Port=high", "Mqtt:Port")]
    [InlineData("--Mqtt:Port=70000", "Mqtt:Port")]
    [InlineData("--Mqtt:Prot=1883", "Mqtt:Prot is no option")]
    [InlineData("--nonsense=1", "nonsense is no option")]
    [InlineData("--Server:Urls=http://0.0.0.0:0", "Server:AllowPlainHttp")]
    [InlineData("--Terminals:Models:plain:Seals=false", "Terminals:Models:plain:AllowUnsealedInProduction")]
    [InlineData("--Routing:DefaultChannel=nobody", "Routing:DefaultChannel must be one of")]
    [InlineData("--Payments:Channels:nobody:PayDeadline=00:00:05", "Payments:Channels:nobody is no channel")]
    public async Task Wrong_option_stops_the_start_with_its_name(string option, string named)
    {
        await using var hub = new HubProcess(null, option);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(hub.Start);
        Assert.Contains(named, hub.Output, StringComparison.Ordinal);
        AssertRefused(hub, refused);
    }

    [Fact]
    public async Task Used_port_stops_the_start_with_its_number()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        await using var hub = new HubProcess(null, "--Mqtt:Port=" + port);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(hub.Start);
        Assert.Contains(port, hub.Output, StringComparison.Ordinal);
        AssertRefused(hub, refused);
    }

    [Fact]
    public async Task Stop_refuses_new_connections_and_finishes_the_payment_that_runs()
    {
        await using var hub = await OperatedHub.Start(null, "--Sandbox:SlowAfter=00:00:04");
        await using var terminal = await hub.LoggedIn();
        await using var late = await hub.LoggedIn();
        await late.Mqtt.DisconnectAsync(new MQTTnet.MqttClientDisconnectOptions(), TestContext.Current.CancellationToken);
        var request = terminal.Request(OperatedHub.Slow);
        await terminal.Pay(request);
        await terminal.Expect(Downlink.BodyOneofCase.Accepted);

        var stopping = hub.Process.Stop(TimeSpan.FromSeconds(40));
        await Eventually.Holds(() => Refuses(hub.Process.MqttPort), "new connections are refused");
        Assert.Equal(0, await stopping);

        await hub.Process.Start();
        var timeline = (await hub.Admin.Get($"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}")).GetProperty("timeline").GetRawText();
        Assert.Contains("the channel answered the payment: Approved", timeline, StringComparison.Ordinal);
        Assert.DoesNotContain("found without an answer", timeline, StringComparison.Ordinal);
        await using var again = new BadInput.TestTerminal(terminal.SerialNumber, hub.Process.MqttPort) { Key = terminal.Key };
        var missed = await again.Login();
        Assert.Contains(missed, m => m.Outcome is { Result: Outcome.Types.Result.Approved } outcome && outcome.RequestId == request.RequestId);
    }

    [Fact]
    public async Task Payment_that_outlives_the_stops_deadline_is_parked_and_settled_after_the_next_start()
    {
        await using var hub = await OperatedHub.Start(
            null, "--Sandbox:SlowAfter=00:00:30", "--Payments:PayDeadline=00:00:40", "--Payments:StopDeadline=00:00:01", "--Mqtt:DrainSeconds=1", "--Payments:SweepGrace=00:00:01");
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(OperatedHub.Slow);
        await terminal.Pay(request);
        await terminal.Expect(Downlink.BodyOneofCase.Accepted);

        // Not by Server:StopDeadline, which is 30 s.
        Assert.Equal(0, await hub.Process.Stop(TimeSpan.FromSeconds(15)));
        await hub.Process.Start();
        var path = $"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}";
        var detail = await Eventually.Becomes(
            () => hub.Admin.Get(path), d => d.GetProperty("standing").GetProperty("stage").GetString() == "final", "the payment is settled", TimeSpan.FromSeconds(60));
        Assert.Contains("found without an answer", detail.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task What_is_secret_in_the_data_folder_is_the_owners_alone()
    {
        await using var hub = new HubProcess();
        File.SetUnixFileMode(hub.DataFolder, (UnixFileMode)0b111_101_101);
        await hub.Start();
        string[] secrets = ["hub.key", "hub.db", "hub.db-wal", "hub-search.db", "hub-search.db-wal", "protection-keys", Path.Combine("tls", "ca-key.pem"), Path.Combine("tls", "hub.pem")];
        foreach (var path in secrets.Concat(Directory.GetFiles(Path.Combine(hub.DataFolder, "protection-keys"))).Select(s => Path.Combine(hub.DataFolder, s)))
        {
            const UnixFileMode Others = (UnixFileMode)0b000_111_111;
            Assert.Equal((path, UnixFileMode.None), (path, File.GetUnixFileMode(path) & Others));
        }
    }

    private static void AssertRefused(HubProcess hub, InvalidOperationException refused)
    {
        Assert.Contains("the hub ended with 1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("DeviceHub cannot start: ", hub.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", hub.Output, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<string>> Serials(OperatedHub hub) =>
        [.. (await hub.Admin.Get("/api/v1/terminals")).GetProperty("items").EnumerateArray().Select(t => t.GetProperty("serialNumber").GetString()!)];

    private static async Task<bool> Refuses(int port)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return false;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return true;
        }
    }

    /// <summary>The TCP sockets on which a process listens, from /proc.</summary>
    private static List<IPEndPoint> Listening(int process)
    {
        var inodes = Directory.GetFiles($"/proc/{process}/fd").Select(fd => new FileInfo(fd).LinkTarget).Where(t => t is not null && t.StartsWith("socket:[", StringComparison.Ordinal))
            .Select(t => t!["socket:[".Length..^1]).ToHashSet(StringComparer.Ordinal);
        return [.. new[] { "tcp", "tcp6" }.SelectMany(kind => File.ReadLines($"/proc/net/{kind}").Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(cells => cells[3] == "0A" && inodes.Contains(cells[9])).Select(cells => Parse(cells[1]))];
    }

    /// <summary>An address of /proc/net/tcp: hexadecimal words in the machine's order.</summary>
    private static IPEndPoint Parse(string text)
    {
        var (address, port) = (text.Split(':')[0], text.Split(':')[1]);
        var bytes = Convert.FromHexString(address);
        for (var word = 0; word < bytes.Length; word += 4)
        {
            Array.Reverse(bytes, word, 4);
        }

        return new IPEndPoint(new IPAddress(bytes), int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
