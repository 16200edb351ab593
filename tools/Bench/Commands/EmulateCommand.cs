using System.CommandLine;
using System.Globalization;
using DeviceHub.Protocol;
using DeviceHub.Tools.Bench.Emulation;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary><c>emulate</c>: the tool is the terminal, by hand or by a script.</summary>
internal static class EmulateCommand
{
    private sealed record Choice(string? Port, int Baud, string? Mqtt, string? Ca, TerminalIdentity Identity, byte[]? Key, Fault Fault, int StallMs, int[] Rates, int JitterMs, string? Script);

    public static Command Build()
    {
        var port = new Option<string?>("--port") { HelpName = "PORT", Description = "On this serial line." };
        var mqtt = new Option<string?>("--mqtt") { HelpName = "HOST:PORT", Description = "Or on a connection to this hub." };
        var ca = new Option<string?>("--ca") { HelpName = "FILE", Description = "The hub's CA (PEM): TLS." };
        var baud = PortOptions.Baud();
        var key = new Option<string?>("--key") { HelpName = "HEX|FILE", Description = "The terminal's key." };
        var code = new Option<string?>("--activation-code") { HelpName = "CODE", Description = "What it answers a challenge with while it has no key." };
        var name = new Option<string>("--serial-number") { HelpName = "NAME", DefaultValueFactory = _ => "EMULATED-1", Description = "4 to 32 of A-Z a-z 0-9 _ -." };
        var hardware = new Option<string>("--hardware-id") { HelpName = "ID", DefaultValueFactory = _ => "bench-emulator", Description = "The board." };
        var fault = new Option<Fault>("--fault") { HelpName = "FAULT", Description = "Is broken in one way, to test the bench itself: " + string.Join(", ", Enum.GetNames<Fault>()) + "." };
        var stall = new Option<int>("--stall-ms") { HelpName = "MS", DefaultValueFactory = _ => 100, Description = "What HELLO states, 1 to 2000." };
        var rates = new Option<int[]>("--rates") { HelpName = "RATE", Description = "Faster rates that it offers, the best first, as in 921600 460800.", AllowMultipleArgumentsPerToken = true };
        var jitter = new Option<int>("--jitter-ms") { HelpName = "MS", DefaultValueFactory = _ => 30_000, Description = "The most that is added to a back-off that the hub asked for." };
        var script = new Option<string?>("--script") { HelpName = "FILE", Description = "Does what stands in it, and ends. Default: what is typed." };
        var command = new Command("emulate", "Is the terminal itself, on a serial line or MQTT. Type help.") { port, mqtt, ca, baud, key, code, name, hardware, fault, stall, rates, jitter, script };
        command.SetAction((values, _) => BenchCommand.Guard(() =>
        {
            var (serial, board) = (values.GetValue(name)!, values.GetValue(hardware)!);
            if (!Names.IsSerialNumber(serial) || !Names.IsHardwareId(board))
            {
                throw new BadInputException("--serial-number: 4 to 32 of A-Z a-z 0-9 _ -; --hardware-id: 1 to 64 of A-Z a-z 0-9 . _ : -");
            }

            return Run(new Choice(
                values.GetValue(port), values.GetValue(baud), values.GetValue(mqtt), values.GetValue(ca), new TerminalIdentity(serial, board, values.GetValue(code)),
                TerminalKeys.Parse(values.GetValue(key)), values.GetValue(fault), Math.Clamp(values.GetValue(stall), 1, 2000), values.GetValue(rates) ?? [],
                Math.Clamp(values.GetValue(jitter), 0, 30_000), values.GetValue(script)));
        }));
        return command;
    }

    private static async Task<int> Run(Choice choice)
    {
        using var stop = new StopKeys();
        var hands = new EmulatorHands();
        var terminal = new EmulatedTerminal(choice.Identity, choice.Key, choice.Fault, hands.Show);
        if (choice.Port is { } port)
        {
            using var line = SerialLine.Open(PortOptions.PathOf(port), choice.Baud, isTerminal: true);
            using var serial = new SerialTerminal(line, terminal, choice.Identity.SerialNumber, choice.Fault, choice.StallMs, choice.Rates, choice.JitterMs);
            hands.Use(serial.Do, serial.PowerCut);
            return await hands.Work(choice.Script, line, stop.Token);
        }

        var (host, tcp) = HostAndPort(choice.Mqtt ?? throw new BadInputException("emulate: --port PORT or --mqtt HOST:PORT"));
        await using var mqtt = new MqttTerminal(terminal, choice.Identity.SerialNumber, host, tcp, choice.Ca, hands.Show);
        hands.Use(mqtt.Do, mqtt.PowerCut);
        mqtt.Start();
        return await hands.Work(choice.Script, null, stop.Token);
    }

    private static (string Host, int Port) HostAndPort(string text) =>
        text.LastIndexOf(':') is > 0 and var colon && int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65_536
            ? (text[..colon], port)
            : throw new BadInputException($"--mqtt {text}: HOST:PORT is wanted");
}
