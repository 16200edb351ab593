using System.Diagnostics;
using DeviceHub.Gateways.Serial;
using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.SerialBridge;

/// <summary>The bridge as people start it: its options, what it says of wrong ones, and its systemd unit.</summary>
public sealed class BridgeToolTests : IDisposable
{
    private const string Port = """ "Serial": { "Ports": { "one": { "Path": "/dev/ttyUSB0" } } } """;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly string Source = Path.Combine(Repository.Root, "tools", "SerialBridge");

    private readonly string folder = Directory.CreateTempSubdirectory("bridge-tool-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("""{ "Hub": { "Host": "h" } }""", "Serial:Ports names no port")]
    [InlineData("{" + Port + "}", "Hub:Host is not right")]
    [InlineData("""{ "Hub": { "Host": "h:8883" },""" + Port + "}", "Hub:Host must be a name or an address, without a port")]
    [InlineData("""{ "Hub": { "Host": "h", "Prot": 1 },""" + Port + "}", "Hub:Prot is no option")]
    [InlineData("""{ "Hub": { "Host": "h", "AskEverySeconds": 0 },""" + Port + "}", "Hub:AskEverySeconds is not right")]
    [InlineData("""{ "Hub": { "Host": "h", "CaFile": "/nowhere/ca.pem" },""" + Port + "}", "Hub:CaFile is not there")]
    [InlineData("""{ "Hub": { "Host": "h" }, "Seriell": {} }""", "Seriell is no section")]
    [InlineData("""{ "Hub": { "Host": "h" }, "Serial": { "Ports": { "one": { "Baud": 9600 } } } }""", "Serial:Ports:one needs either Path or Usb")]
    [InlineData("""{ "Hub": { "Host": "h" }, "Serial": { "Ports": { "one": { "Path": "/dev/ttyUSB0", "MaxBaud": -1 } } } }""", "Serial:Ports:one:MaxBaud is not right")]
    [InlineData("""{ "Hub": { "Host": "h" }, "Serial": { "Ports": { "one": { "Path": "/dev/ttyUSB0", "Mode": "9" } } } }""", "Serial:Ports:one:Mode is not right")]
    [InlineData("""{ "Hub": { "Host": "h" }, "Serial": { "Ports": { "one": { "Path": "/dev/ttyUSB0", "Dtr": "9" } } } }""", "Serial:Ports:one:Dtr is not right")]
    [InlineData("""{ "Hub": """, "bridge.json")]
    public async Task Options_that_are_not_right_are_named_in_a_sentence(string json, string words)
    {
        using var bridge = new ToolProcess("devicehub-serial-bridge.dll", "--config", Write(json), "--language", "en");
        Assert.Equal(2, await bridge.Exits(Limit));
        Assert.StartsWith("the bridge cannot start: ", bridge.Errors, StringComparison.Ordinal);
        Assert.Contains(words, bridge.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", bridge.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_CA_file_that_holds_no_certificate_is_said_in_a_sentence()
    {
        var ca = Path.Combine(folder, "ca.pem");
        await File.WriteAllTextAsync(ca, "nothing");
        using var bridge = new ToolProcess(
            "devicehub-serial-bridge.dll", "--config", Write("""{ "Hub": { "Host": "h" },""" + Port + "}"), "--set", "Hub:CaFile=" + ca, "--language", "zh");
        Assert.Equal(2, await bridge.Exits(Limit));
        Assert.StartsWith("网桥无法启动: ", bridge.Errors, StringComparison.Ordinal);
        Assert.Contains(ca, bridge.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_options_file_that_is_not_there_is_said_in_a_sentence()
    {
        using var bridge = new ToolProcess("devicehub-serial-bridge.dll", "--config", Path.Combine(folder, "none.json"), "--language", "en");
        Assert.Equal(2, await bridge.Exits(Limit));
        Assert.EndsWith("none.json is not there\n", bridge.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_example_is_right_and_its_ports_are_shown_with_whose_key_they_have()
    {
        using var bridge = new ToolProcess(
            "devicehub-serial-bridge.dll", "ports", "--config", Path.Combine(Source, "bridge.example.json"), "--set", "Hub:CaFile=", "--language", "en");
        Assert.True(await bridge.Exits(Limit) == 0, bridge.Errors);
        Assert.Contains("counter-1  /dev/serial/by-id/usb-1a86_USB_Serial-if00-port0  Framed  key: in the terminal, unknown to the bridge", bridge.Output, StringComparison.Ordinal);
        Assert.Contains("counter-2  USB 0403:6001:A50285BI", bridge.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_a_regular_file_is_said_in_Chinese_and_the_bridge_goes_on()
    {
        var file = Path.Combine(folder, "file");
        await File.WriteAllTextAsync(file, "");
        using var bridge = new ToolProcess(
            "devicehub-serial-bridge.dll", "--config", Write("""{ "Hub": { "Host": "127.0.0.1" },""" + Port + "}"), "--set", "Serial:Ports:one:Path=" + file, "--language", "zh");
        await Eventually.Holds(() => bridge.Output.Contains($"one: {file} 不是串口", StringComparison.Ordinal), "the port is said to be none");
        await bridge.Terminate();
        Assert.Equal(0, await bridge.Exits(Limit));
        Assert.Empty(bridge.Errors);
    }

    /// <summary>The other ports' terminals must go on paying.</summary>
    [Fact]
    public async Task A_key_that_cannot_be_read_is_said_and_does_not_end_the_bridge()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        var key = Path.Combine(folder, "GUN-0009.key");
        await File.WriteAllTextAsync(key, "no key");
        var file = Path.Combine(folder, "file");
        string[] options =
        [
            "--config", Write("""{ "Hub": { "Host": "127.0.0.1" },""" + Port + "}"), "--set", "Serial:Ports:one:Path=" + cable.HubEnd, "--set", "Serial:Ports:one:Mode=Line",
            "--set", "Serial:Ports:one:SerialNumber=GUN-0009", "--set", "Bridge:KeyFolder=" + folder, "--set", "Serial:Ports:two:Path=" + file, "--language", "en",
        ];
        var words = $"key of GUN-0009: {key} is not a key in hexadecimal";
        using (var ports = new ToolProcess("devicehub-serial-bridge.dll", ["ports", .. options]))
        {
            Assert.True(await ports.Exits(Limit) == 0, ports.Errors);
            Assert.Contains(words, ports.Output, StringComparison.Ordinal);
        }

        using var bridge = new ToolProcess("devicehub-serial-bridge.dll", options);
        await Eventually.Holds(() => bridge.Output.Contains($"one: {words}", StringComparison.Ordinal), "the key is said");
        await File.WriteAllTextAsync(file, "");
        await Eventually.Holds(() => bridge.Output.Contains($"two: {file} is no serial port", StringComparison.Ordinal), "the other port is looked after");
        await bridge.Terminate();
        Assert.Equal(0, await bridge.Exits(Limit));
        Assert.Empty(bridge.Errors);
    }

    [Fact]
    public async Task A_terminal_of_another_speed_is_said_in_Chinese()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        using var bridge = new ToolProcess(
            "devicehub-serial-bridge.dll", "--config", Write("""{ "Hub": { "Host": "127.0.0.1" },""" + Port + "}"), "--set", "Serial:Ports:one:Path=" + cable.HubEnd, "--language", "zh");
        await Eventually.Holds(() => bridge.Output.Contains("one: 已打开", StringComparison.Ordinal), "the port is open");
        using var terminal = Tty.Open(cable.TerminalEnd, 115_200, ModemLine.Untouched, ModemLine.Untouched);
        for (var i = 0; i < 25; i++)
        {
            terminal.Write([0, 0xF8, 0x80, 0x78, 0]);
        }

        await Eventually.Holds(() => bridge.Output.Contains("one: 收到字节，但不是协议帧: 终端的波特率不是 115200?", StringComparison.Ordinal), "the speed is said");
        await bridge.Terminate();
        Assert.Equal(0, await bridge.Exits(Limit));
    }

    [Fact]
    public async Task The_systemd_unit_is_right()
    {
        var unit = Path.Combine(folder, "devicehub-serial-bridge.service");
        var text = await File.ReadAllTextAsync(Path.Combine(Source, "devicehub-serial-bridge.service"));
        await File.WriteAllTextAsync(unit, text.Replace("/opt/devicehub-serial-bridge/devicehub-serial-bridge ", "/usr/bin/true ", StringComparison.Ordinal));
        using var verify = new ToolProcess(new ProcessStartInfo("systemd-analyze") { WorkingDirectory = folder }, "verify", "--man=no", unit);
        var code = await verify.Exits(Limit);
        Assert.True(code == 0 && verify.Errors.Length == 0, verify.Output + verify.Errors);
        Assert.All((string[])["DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "dialout"], line => Assert.Contains(line, text, StringComparison.Ordinal));

        // systemd resolves a group of devices once, at the start: its driver must be there by then, also when no adapter was plugged in yet.
        (string Group, string Driver)[] pluggable = [("char-ttyUSB", "usbserial"), ("char-ttyACM", "cdc_acm")];
        string Named(string key) => string.Join(' ', text.Split('\n').Where(line => line.StartsWith(key + "=", StringComparison.Ordinal)));
        Assert.All(pluggable, one =>
        {
            Assert.Contains($"DeviceAllow={one.Group} rw", text, StringComparison.Ordinal);
            Assert.Contains($"modprobe@{one.Driver}.service", Named("Wants"), StringComparison.Ordinal);
            Assert.Contains($"modprobe@{one.Driver}.service", Named("After"), StringComparison.Ordinal);
        });
    }

    private string Write(string json)
    {
        var file = Path.Combine(folder, "bridge.json");
        File.WriteAllText(file, json);
        return file;
    }
}
