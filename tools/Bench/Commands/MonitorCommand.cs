using System.CommandLine;
using System.Globalization;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using Spectre.Console;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary><c>monitor</c> and <c>replay</c>: what goes over a line, decoded.</summary>
internal static class MonitorCommand
{
    private sealed record Choice(string Port, int Baud, bool AsHub, string? Through, byte[]? Key, string? Record, TrafficPrinter Printer);

    public static Command Build()
    {
        var (port, baud, key) = (PortOptions.Port(), PortOptions.Baud(), PortOptions.Key());
        var asHub = new Option<bool>("--as-hub") { Description = "Answers the terminal, so that it logs in and talks. Else only listens." };
        var through = new Option<string?>("--through") { HelpName = "PORT", Description = "Stands between: what comes from the terminal on PORT goes on to the hub on this one, and back." };
        var record = new Option<string?>("--record") { HelpName = "FILE", Description = "Also keeps the bytes (pcapng: Wireshark opens it)." };
        var (filter, wide) = (Filter(), Wide());
        var command = new Command("monitor", "Shows what goes over a line, decoded, with times. Ctrl-C ends it.") { port, baud, asHub, through, key, record, filter, wide };
        command.SetAction((values, _) => BenchCommand.Guard(() => Run(new Choice(
            PortOptions.PathOf(values.GetValue(port)!), values.GetValue(baud), values.GetValue(asHub), values.GetValue(through), TerminalKeys.Parse(values.GetValue(key)),
            values.GetValue(record), new TrafficPrinter(TrafficText.Filter(values.GetValue(filter)), values.GetValue(wide))))));
        return command;
    }

    public static Command BuildReplay()
    {
        var file = new Argument<string>("FILE") { Description = "A recording." };
        var to = new Option<string?>("--to") { HelpName = "PORT", Description = "Sends the bytes of one direction to a port, with the times between them." };
        var direction = new Option<string>("--direction") { DefaultValueFactory = _ => "up", Description = "up: what the terminal sent; down: what the hub sent." };
        direction.AcceptOnlyFromAmong("up", "down");
        var speed = new Option<double>("--speed") { HelpName = "FACTOR", DefaultValueFactory = _ => 1, Description = "Of the times between them: 2 is twice as fast." };
        var (baud, filter, wide) = (PortOptions.Baud(), Filter(), Wide());
        var command = new Command("replay", "Shows a recording as monitor does, or sends it to a port.") { file, to, direction, speed, baud, filter, wide };
        command.SetAction((values, _) => BenchCommand.Guard(async () =>
        {
            var recorded = PcapngReader.Read(values.GetValue(file)!);
            if (values.GetValue(to) is { } port)
            {
                var factor = values.GetValue(speed) is > 0 and <= 1000 and var chosen ? chosen : throw new BadInputException("--speed: above 0, at most 1000");
                return await Send(recorded.Where(b => b.FromTerminal == (values.GetValue(direction) == "up")), PortOptions.PathOf(port), values.GetValue(baud), factor);
            }

            var printer = new TrafficPrinter(TrafficText.Filter(values.GetValue(filter)), values.GetValue(wide));
            foreach (var bytes in recorded)
            {
                printer.Take(bytes);
            }

            return ExitCode.Passed;
        }));
        return command;
    }

    private static Option<string?> Filter() => new("--filter") { HelpName = "WORDS", Description = "Only these, or with a minus without them: frame types (hello, data, ack, close ...), messages (heartbeat, outcome ...), bad, text. As in -ack,-close." };

    private static Option<bool> Wide() => new("--wide") { Description = "Does not cut lines at the screen's width." };

    private static async Task<int> Run(Choice choice)
    {
        using var stop = new StopKeys();
        using var line = SerialLine.Open(choice.Port, choice.Baud);
        using var recording = choice.Record is { } path ? new PcapngWriter(path, choice.Port, choice.Baud) : null;
        void Take(LineBytes bytes)
        {
            choice.Printer.Take(bytes);
            recording?.Write(bytes);
        }

        using var other = choice.Through is { } through ? SerialLine.Open(PortOptions.PathOf(through), choice.Baud, isTerminal: true) : null;
        using var link = choice.AsHub && other is null ? new BenchLink(line, choice.Baud) : null;
        line.Tap = bytes => Take(bytes.FromTerminal || link is not null ? bytes : bytes with { FromTerminal = false });
        if (other is not null)
        {
            other.Start((bytes, _) => line.Write(bytes.Span));
            line.Start((bytes, _) => other.Write(bytes.Span));
        }
        else if (link is not null)
        {
            _ = new BenchSession(link, new TerminalKeys(BenchHome.Default, choice.Key));
        }
        else
        {
            line.Start((_, _) => { });
        }

        await Task.WhenAny(line.Ended, other?.Ended ?? line.Ended, Task.Delay(Timeout.Infinite, stop.Token));
        var lost = line.Ended.IsCompleted ? line : other ?? line;
        return stop.Token.IsCancellationRequested ? ExitCode.Passed : throw new PortException($"{lost.Path}: lost: {await lost.Ended}");
    }

    private static async Task<int> Send(IEnumerable<LineBytes> recorded, string port, int baud, double speed)
    {
        using var stop = new StopKeys();
        using var line = SerialLine.Open(port, baud, isTerminal: true);
        line.Start((_, _) => { });
        var (from, sent) = (SerialLine.Now, 0);
        TimeSpan? first = null;
        foreach (var bytes in recorded)
        {
            var due = (bytes.At - (first ??= bytes.At)) / speed;
            if (due - (SerialLine.Now - from) is { Ticks: > 0 } wait)
            {
                await Task.Delay(wait, stop.Token);
            }

            line.Write(bytes.Bytes.Span);
            sent += bytes.Bytes.Length;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sent} bytes in {(SerialLine.Now - from).TotalSeconds:0.0} s"));
        return ExitCode.Passed;
    }
}

/// <summary>Prints traffic: time since the first, time since the line before, direction, type, sequence and what it says.</summary>
internal sealed class TrafficPrinter(Func<TrafficLine, bool> filter, bool wide)
{
    private readonly TrafficText text = new();
    private readonly Lock gate = new();
    private readonly IAnsiConsole console = BenchCommand.Output();
    private TimeSpan? first;
    private TimeSpan last;

    public void Take(LineBytes bytes)
    {
        lock (gate)
        {
            foreach (var line in text.Take(bytes).Where(filter))
            {
                Print(line);
            }
        }
    }

    private void Print(TrafficLine line)
    {
        first ??= line.At;
        last = last == default ? line.At : last;
        var since = Math.Max(0, (line.At - last).TotalMilliseconds);
        last = line.At;
        var whole = string.Create(
            CultureInfo.InvariantCulture, $"{(line.At - first.Value).TotalSeconds,9:0.000} {since,+8:0.0} ms  {(line.FromTerminal ? "T>H" : "H>T")}  {line.Type,-5} {line.Text}");
        if (Console.IsOutputRedirected)
        {
            Console.WriteLine(whole);
            return;
        }

        var cut = !wide && whole.Length >= console.Profile.Width ? whole[..Math.Max(1, console.Profile.Width - 2)] + "…" : whole;
        var color = line.Kind switch { "bad" or "malformed" => "red", "text" => "yellow", "ack" or "close" => "grey", _ => line.FromTerminal ? "green" : "blue" };
        console.MarkupLine($"[{color}]{Markup.Escape(cut)}[/]");
    }
}
