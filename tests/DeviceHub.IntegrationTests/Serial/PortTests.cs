using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using DeviceHub.Gateways.Serial;
using DeviceHub.IntegrationTests.Mqtt;
using DeviceHub.Protocol.Serial;
using DeviceHub.Tests;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.IntegrationTests.Serial;

/// <summary>What a port that cannot be used says, and that it is used as soon as it can be.</summary>
public sealed class PortTests : IDisposable
{
    /// <summary>FIONREAD: bytes that can be read.</summary>
    private const nuint BytesThere = 0x541B;

    private readonly string folder = Directory.CreateTempSubdirectory("ports-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void What_is_no_port_is_called_what_it_is()
    {
        var file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        AssertRefused(file, PortFault.NotAPort, "is a regular file, no port");
        AssertRefused(folder, PortFault.NotAPort, "is a folder, no port");
        AssertRefused("/dev/null", PortFault.NotAPort, "is no such port");
        AssertRefused(Path.Combine(folder, "nothing"), PortFault.Missing, "is not there (not plugged in?)");

        // Root may open everything, so the words for what others meet are asked for directly.
        Assert.Contains("no permission", PortException.Of(Libc.NoAccess, file).Message, StringComparison.Ordinal);
        Assert.Equal(PortFault.Busy, PortException.Of(Libc.Busy, file).Fault);
    }

    [Fact]
    public async Task A_port_is_exclusive_while_it_is_open_and_free_afterwards()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        using (var first = Open(cable.HubEnd))
        {
            AssertRefused(cable.HubEnd, PortFault.Busy, "is busy: another program has it open");
        }

        Open(cable.HubEnd).Dispose();
    }

    /// <summary>Root may open a port that another has; then nothing of it may change.</summary>
    [Fact]
    public async Task A_busy_port_keeps_its_rate_and_its_bytes_for_whoever_has_it()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        using var first = Tty.Open(cable.HubEnd, 921_600, ModemLine.Untouched, ModemLine.Untouched);
        using (var terminal = Open(cable.TerminalEnd))
        {
            terminal.Write([1, 2, 3]);
            await Eventually.Holds(() => Number(first, BytesThere, 4, 0) == 3, "the bytes have come");
            AssertRefused(cable.HubEnd, PortFault.Busy, "is busy: another program has it open");
            Assert.Equal(3, Number(first, BytesThere, 4, 0));
            Assert.Equal(921_600, Number(first, Libc.GetTermios, 44, 40));
        }
    }

    [Fact]
    public async Task A_port_that_is_opened_or_found_busy_a_thousand_times_leaves_no_descriptor()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        var device = File.ResolveLinkTarget(cable.HubEnd, returnFinalTarget: true)!.FullName;
        using (var kept = Open(cable.HubEnd))
        {
            for (var i = 0; i < 1_000; i++)
            {
                Assert.Throws<PortException>(() => Open(cable.HubEnd));
            }

            Assert.Equal(1, Descriptors(device));
        }

        for (var i = 0; i < 1_000; i++)
        {
            Open(cable.HubEnd).Dispose();
        }

        Assert.Equal(0, Descriptors(device));
    }

    /// <summary>Else a terminal whose wish the adapter cannot do would never pay: the port would be opened anew, and the rate granted anew.</summary>
    [Fact]
    public async Task A_rate_that_the_driver_does_not_do_is_told_and_the_port_stays_open()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        using var tty = Open(cable.HubEnd);
        using var terminal = Open(cable.TerminalEnd);
        var output = new PortOutput(tty, 100);

        // A pseudo-terminal does every rate but one below 0.
        output.ChangeRate(-115_200, 0);
        Assert.Contains("does not do -115200 baud", output.RateRefused?.Message, StringComparison.Ordinal);
        output.ChangeRate(115_200, 10);
        Assert.Null(output.RateRefused);
        Assert.True(output.Write([7], 20));
        var buffer = new byte[10];
        await Eventually.Holds(() => terminal.Read(buffer) == 1 && buffer[0] == 7, "the port still sends");
    }

    [Fact]
    public async Task Modem_lines_that_a_port_has_not_are_no_error_and_the_rate_can_change()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        using var tty = Tty.Open(cable.HubEnd, 9_600, ModemLine.On, ModemLine.Off);
        tty.SetRate(921_600);
        tty.SetRate(115_200);
    }

    [Fact]
    public async Task A_port_that_takes_nothing_never_blocks_and_one_that_is_pulled_says_so()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        using var tty = Open(cable.HubEnd);
        cable.Freeze();
        var began = Stopwatch.GetTimestamp();
        var written = 0;
        int took;
        do
        {
            took = tty.Write(new byte[4_096]);
            written += took;
        }
        while (took > 0 && written < 10_000_000);

        Assert.True(took == 0 && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(5), $"{written} bytes were taken");
        cable.Thaw();
        cable.Unplug();
        Assert.Equal(PortFault.Gone, Assert.Throws<PortException>(() => ReadToTheEnd(tty)).Fault);
    }

    [Fact]
    public async Task Ports_are_tried_again_until_they_work_and_each_reason_is_told_once_in_words()
    {
        using var cable = new PtyPair(folder, "a");
        var file = Path.Combine(folder, "file");
        await File.WriteAllTextAsync(file, "");
        var log = new Told();
        var options = new SerialOptions { RetryMs = 10, RetryMaxMs = 50 };
        options.Ports["late"] = new() { Path = cable.HubEnd };
        options.Ports["file"] = new() { Path = file };
        options.Ports["usb"] = new() { Usb = "1a86:7523" };
        using var endpoint = new SerialEndpoint(Options.Create(options), new RecordingSessions(), TimeProvider.System, new UsbPorts(folder), new PortKeys(Path.Combine(folder, "keys")), log);
        await endpoint.StartedAsync(CancellationToken.None);
        await Eventually.Holds(() => log.Lines.Count >= 3, "all three are told");
        await cable.Plug();
        await Eventually.Holds(() => log.Lines.Any(l => l.StartsWith("Opened port late", StringComparison.Ordinal)), "the late port is opened");
        cable.Unplug();
        await Eventually.Holds(() => log.Lines.Any(l => l.Contains("is gone (unplugged?)", StringComparison.Ordinal)), "the unplugged port is told");
        await cable.Plug();
        await Eventually.Holds(() => log.Lines.Count(l => l.StartsWith("Opened port late", StringComparison.Ordinal)) == 2, "it is opened again");
        await endpoint.StoppingAsync(CancellationToken.None);
        Assert.Single(log.Lines, l => l.Contains("is a regular file, no port", StringComparison.Ordinal));
        Assert.Single(log.Lines, l => l.Contains("no port of USB device 1a86:7523 is there", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_look_for_a_USB_device_that_fails_in_the_middle_is_told_and_tried_again()
    {
        // What is unplugged while it is looked at can be there and not be there; a link to itself is so for as long as the test wants.
        var ttys = Path.Combine(folder, "class", "tty");
        Directory.CreateDirectory(ttys);
        var entry = Path.Combine(ttys, "ttyUSB0");
        File.CreateSymbolicLink(entry, entry);
        var log = new Told();
        var options = new SerialOptions { RetryMs = 10, RetryMaxMs = 50 };
        options.Ports["usb"] = new() { Usb = "1a86:7523" };
        using var endpoint = new SerialEndpoint(Options.Create(options), new RecordingSessions(), TimeProvider.System, new UsbPorts(folder), new PortKeys(Path.Combine(folder, "keys")), log);
        await endpoint.StartedAsync(CancellationToken.None);
        await Eventually.Holds(() => log.Lines.Any(l => l.StartsWith("Port usb cannot be used", StringComparison.Ordinal)), "it is told");
        File.Delete(entry);
        await Eventually.Holds(() => log.Lines.Any(l => l.Contains("no port of USB device 1a86:7523 is there", StringComparison.Ordinal)), "it is tried again");
        await endpoint.StoppingAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Bytes_at_another_speed_are_told_in_words()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        var log = new Told();
        var options = new SerialOptions();
        options.Ports["slow"] = new() { Path = cable.HubEnd };
        using var endpoint = new SerialEndpoint(Options.Create(options), new RecordingSessions(), TimeProvider.System, new UsbPorts(folder), new PortKeys(Path.Combine(folder, "keys")), log);
        await endpoint.StartedAsync(CancellationToken.None);
        using var terminal = Open(cable.TerminalEnd);
        await Eventually.Holds(() => log.Lines.Any(l => l.StartsWith("Opened", StringComparison.Ordinal)), "the port is opened");
        for (var i = 0; i < 25; i++)
        {
            terminal.Write([0, 0xF8, 0x80, 0x78, 0]);
        }

        await Eventually.Holds(() => log.Lines.Any(l => l.Contains("at another rate than 115200 baud", StringComparison.Ordinal)), "the speed is suspected");
        var look = Assert.Single(endpoint.Ports);
        Assert.Equal((true, PortFault.Speed), (look.IsOpen, look.Fault?.Fault));
        await endpoint.StoppingAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_hub_that_stops_says_so_to_the_terminal_before_it_closes_the_port()
    {
        using var cable = new PtyPair(folder, "a");
        await cable.Plug();
        var options = new SerialOptions();
        options.Ports["one"] = new() { Path = cable.HubEnd };
        using var endpoint = new SerialEndpoint(
            Options.Create(options), new RecordingSessions(), TimeProvider.System, new UsbPorts(folder), new PortKeys(Path.Combine(folder, "keys")), new Told());
        await endpoint.StartedAsync(CancellationToken.None);
        await using var terminal = new CableTerminal(cable.TerminalEnd, "STOP-0001");
        await Eventually.Holds(() => terminal.Ups == 1, "the link is up");
        await endpoint.StoppingAsync(CancellationToken.None);
        await Eventually.Holds(() => terminal.Downs.Contains((LinkEnd.Closed, (byte)0x8B)), "the terminal is told");
        Open(cable.HubEnd).Dispose();
    }

    /// <summary>Of this process that are open on a file.</summary>
    private static int Descriptors(string file) =>
        Directory.EnumerateFiles("/proc/self/fd").Count(fd => new FileInfo(fd).LinkTarget == file);

    private static int Number(Tty tty, nuint request, int bytes, int offset)
    {
        Span<byte> memory = stackalloc byte[bytes];
        Assert.Equal(0, Libc.Control(tty.Descriptor, request, memory));
        return BinaryPrimitives.ReadInt32LittleEndian(memory[offset..]);
    }

    private static void ReadToTheEnd(Tty tty)
    {
        while (true)
        {
            tty.Read(new byte[100]);
        }
    }

    private static Tty Open(string path) => Tty.Open(path, 115_200, ModemLine.Untouched, ModemLine.Untouched);

    private static void AssertRefused(string path, PortFault fault, string words)
    {
        var refused = Assert.Throws<PortException>(() => Open(path));
        Assert.Equal(fault, refused.Fault);
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>What an operator would read.</summary>
    private sealed class Told : ILogger<SerialEndpoint>
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Assert.True(logLevel < LogLevel.Error, formatter(state, exception));
            Lines.Enqueue(formatter(state, exception));
        }
    }
}
