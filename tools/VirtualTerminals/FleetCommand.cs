using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>The command line: a fleet against any hub.</summary>
internal static class FleetCommand
{
    private static readonly Option<string> Host = new("--host") { DefaultValueFactory = _ => "127.0.0.1", Description = "The hub's address." };
    private static readonly Option<int> Port = new("--port") { DefaultValueFactory = _ => 1883, Description = "Its MQTT port." };
    private static readonly Option<bool> Tls = new("--tls") { Description = "Speak TLS (port 8883 by default there); the certificate is not checked." };
    private static readonly Option<int> Terminals = new("--terminals") { DefaultValueFactory = _ => 12, Description = "How many." };
    private static readonly Option<string> Prefix = new("--prefix") { DefaultValueFactory = _ => "VT", Description = "First part of their serial numbers." };
    private static readonly Option<string?> Code = new("--activation-code") { Description = "For terminals that have no key yet: a code with enough uses." };
    private static readonly Option<string?> UnsealedCode = new("--unsealed-code") { Description = "The same for the model that does not seal." };
    private static readonly Option<double> UnsealedShare = new("--unsealed") { Description = "Share of terminals that do not seal, 0 to 1." };
    private static readonly Option<double> JsonShare = new("--json") { Description = "Share of terminals that speak JSON, 0 to 1." };
    private static readonly Option<double> BadShare = new("--bad-network") { Description = "Share of terminals on a bad network, 0 to 1." };
    private static readonly Option<double> SpecialShare = new("--special") { DefaultValueFactory = _ => 0.2, Description = "Share of payments that the Sandbox does not simply approve." };
    private static readonly Option<double> Think = new("--think") { DefaultValueFactory = _ => 2, Description = "Longest time from an outcome to the next scan, in seconds." };
    private static readonly Option<double> Duration = new("--duration") { DefaultValueFactory = _ => 60, Description = "Seconds of scanning; up to 60 more are given to settle." };
    private static readonly Option<FileInfo?> Book = new("--book") { Description = "File to write the terminals' book to, as lines of JSON." };
    private static readonly Option<FileInfo?> Keys = new("--keys") { Description = "File that keeps the terminals' keys from run to run." };

    public static RootCommand Build()
    {
        var command = new RootCommand("A fleet of virtual payment terminals over MQTT")
        {
            Host, Port, Tls, Terminals, Prefix, Code, UnsealedCode, UnsealedShare, JsonShare, BadShare, SpecialShare, Think, Duration, Book, Keys,
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult options, CancellationToken cancellation)
    {
        var keys = LoadKeys(options.GetValue(Keys));
        using var book = new TerminalBook(options.GetValue(Book)?.FullName);
        var think = TimeSpan.FromSeconds(options.GetValue(Think));
        await using var fleet = new Fleet(
            new FleetSetup
            {
                Terminal = new TerminalSetup
                {
                    SerialNumber = "",
                    Host = options.GetValue(Host)!,
                    Port = options.GetResult(Port) is null or { Implicit: true } && options.GetValue(Tls) ? 8883 : options.GetValue(Port),
                    Tls = options.GetValue(Tls),
                    AnyCertificate = true,
                    ActivationCode = options.GetValue(Code),
                },
                Terminals = options.GetValue(Terminals),
                Prefix = options.GetValue(Prefix)!,
                UnsealedShare = options.GetValue(UnsealedShare),
                UnsealedCode = options.GetValue(UnsealedCode),
                JsonShare = options.GetValue(JsonShare),
                BadNetworkShare = options.GetValue(BadShare),
                SpecialShare = options.GetValue(SpecialShare),
                MinThink = think / 10,
                MaxThink = think,
            },
            book,
            keys);
        fleet.Start();
        await Watch(fleet, TimeSpan.FromSeconds(options.GetValue(Duration)), cancellation);
        SaveKeys(options.GetValue(Keys), fleet, keys);
        Print(fleet);
        return fleet.IsQuiet && fleet.Book.Entries.All(e => e.Contradiction is null) ? 0 : 1;
    }

    private static async Task Watch(Fleet fleet, TimeSpan duration, CancellationToken cancellation)
    {
        try
        {
            for (var left = duration; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(5))
            {
                await Task.Delay(left < TimeSpan.FromSeconds(5) ? left : TimeSpan.FromSeconds(5), cancellation);
                Print(fleet);
            }

            fleet.StopScanning();
            for (var seconds = 0; seconds < 60 && !fleet.IsQuiet; seconds++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            fleet.StopScanning();
        }
    }

    private static void Print(Fleet fleet)
    {
        var entries = fleet.Book.Entries;
        var told = string.Join(", ", entries.GroupBy(e => e.Told).OrderBy(g => g.Key).Select(g => $"{g.Key} {g.Count()}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{fleet.Terminals.Count(t => t.IsSynced)}/{fleet.Terminals.Count} ready, {entries.Count} payments: {told}"));
        foreach (var terminal in fleet.Terminals.Where(t => !t.IsSynced && t.LastFault is not null).Take(3))
        {
            Console.WriteLine($"  {terminal.SerialNumber}: {terminal.LastFault}");
        }
    }

    private static Dictionary<string, byte[]> LoadKeys(FileInfo? file) => file is { Exists: true }
        ? JsonSerializer.Deserialize<Dictionary<string, byte[]>>(File.ReadAllText(file.FullName)) ?? []
        : [];

    private static void SaveKeys(FileInfo? file, Fleet fleet, Dictionary<string, byte[]> keys)
    {
        if (file is null)
        {
            return;
        }

        foreach (var terminal in fleet.Terminals.Where(t => t.Key is not null))
        {
            keys[terminal.SerialNumber] = terminal.Key!;
        }

        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(file.FullName, options);
        writer.Write(JsonSerializer.Serialize(keys));
    }
}
