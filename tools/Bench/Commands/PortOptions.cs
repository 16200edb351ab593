using System.CommandLine;
using DeviceHub.Tools.Bench.Hub;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary>Arguments that several commands have.</summary>
internal static class PortOptions
{
    public const int UsualRate = 115_200;

    public static Argument<string> Port() => new("PORT") { Description = "As in /dev/ttyUSB0, or a name of /dev/serial/by-id." };

    public static Option<int> Baud()
    {
        var baud = new Option<int>("--baud") { HelpName = "RATE", DefaultValueFactory = _ => UsualRate, Description = "The first rate: 115200, or 9600 where the terminal's maker says so." };
        baud.AcceptOnlyFromAmong("115200", "9600");
        return baud;
    }

    public static Option<string?> Key() => new("--key") { HelpName = "HEX|FILE", Description = "The terminal's key: 64 hex digits, or a file with them. Default: the one that this bench gave it at its activation." };

    public static Option<string?> Report() => new("--report") { HelpName = "FOLDER", Description = "Where the signed JSON, the HTML and the JUnit XML go." };

    public static Option<string?> Hub() => new("--hub") { HelpName = "URL", Description = "Through this hub, at which the terminal is logged in, instead of on a PORT." };

    public static Option<string?> Terminal() => new("--terminal") { HelpName = "SERIAL", Description = "The terminal at the hub." };

    public static Option<string?> ApiKey() => new("--api-key") { HelpName = "KEY|FILE", Description = $"A key of the hub with the scope operate. Default: the environment's {HubTarget.KeyVariable}." };

    public static string PathOf(string port) =>
        port.Contains('/', StringComparison.Ordinal) || File.Exists(port) ? port : $"/dev/serial/by-id/{port}" is var byId && File.Exists(byId) ? byId : $"/dev/{port}";
}
