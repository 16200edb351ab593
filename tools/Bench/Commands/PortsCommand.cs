using System.CommandLine;
using System.Text.Json;
using DeviceHub.Tools.Bench.Ports;
using Spectre.Console;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary><c>ports</c>: what is plugged in.</summary>
internal static class PortsCommand
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Command Build(Option<string?> language)
    {
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("ports", "Lists the serial ports: USB ids, driver, and a guess of the speed.") { json };
        command.SetAction(values => Show(new PortList().Read(), values.GetValue(json), Texts.In(values.GetValue(language))));
        return command;
    }

    private static int Show(IReadOnlyList<PortInfo> ports, bool json, Texts texts)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(ports, Indented));
            return ExitCode.Passed;
        }

        if (ports.Count == 0)
        {
            Console.WriteLine(texts["NoPorts"]);
            return ExitCode.Passed;
        }

        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in (string[])["PortColumn", "UsbColumn", "DriverColumn", "SpeedColumn", "DeviceColumn"])
        {
            table.AddColumn(new TableColumn(Markup.Escape(texts[column])));
        }

        table.Columns[0].NoWrap();
        table.Columns[1].NoWrap();
        foreach (var port in ports)
        {
            var device = port.Usb is { } usb
                ? string.Join(' ', new[] { usb.Maker, usb.Product, usb.SerialNumber.Length > 0 ? $"[{usb.SerialNumber}]" : "" }.Where(part => part.Length > 0))
                : texts["OnBoard"];
            table.AddRow(
                Markup.Escape(port.Path),
                Markup.Escape(port.Usb is { } ids ? PortList.Ids(ids) : "-"),
                Markup.Escape(port.Driver ?? "-"),
                Markup.Escape(port.SpeedGuess),
                Markup.Escape(device + (port.ById is { } name ? $"\n{name}" : "")));
        }

        BenchCommand.Output().Write(table);
        return ExitCode.Passed;
    }
}
