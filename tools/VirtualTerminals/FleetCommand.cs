using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Protocol;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>The command line: a fleet against any hub.</summary>
internal static class FleetCommand
{
    private const string Notes = """
        A fleet of virtual payment terminals over MQTT. Each activates, logs in, takes its configuration, beats and pays with a cashier's
        pauses, and keeps a book of what it was told.

        Models: counter-pos, scan-box, scanner-gun (protobuf, sealed), json-box (JSON, sealed), plain-scanner (JSON, not sealed: the hub
        must allow that for its model). A bad network loses, repeats and delays messages and breaks connections in the middle of payments.

        Examples:
          virtual-terminals --activation-code AB12-CD34-EF56-GH78 --terminals 20 --duration 1m
          virtual-terminals --ca data/tls/ca.pem --port 8883 --activation-code CODE --bad-network 0.3 --keys keys.json
          virtual-terminals --models scan-box=3,json-box=1 --activation-code CODE --activation-code json-box=OTHER

        Ctrl-C ends the scanning and waits up to 60 s for what is open; once more ends the waiting. Exit code 1: no payment was made, one
        is not settled, or a terminal was told two things that contradict each other.
        """;

    private static readonly Option<string> Host = new("--host") { HelpName = "ADDRESS", DefaultValueFactory = _ => "127.0.0.1", Description = "The hub's address." };
    private static readonly Option<int?> Port = new("--port") { HelpName = "PORT", Description = "Its MQTT port. [default: 1883, with TLS 8883]" };
    private static readonly Option<FileInfo?> Ca = new("--ca") { HelpName = "FILE", Description = "Speak TLS and trust this CA alone: tls/ca.pem in the hub's data folder." };
    private static readonly Option<bool> AnyCertificate = new("--any-certificate") { Description = "Speak TLS and check nothing: for a bench." };
    private static readonly Option<string[]> Codes = new("--activation-code")
    {
        HelpName = "[MODEL=]CODE",
        Description = "With enough uses, for terminals that have no key yet; for one model, or for all that have none of their own.",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<FileInfo?> Keys = new("--keys") { HelpName = "FILE", Description = "File that keeps the terminals' keys from run to run; secret." };
    private static readonly Option<int> Terminals = new("--terminals") { HelpName = "NUMBER", DefaultValueFactory = _ => 12, Description = "How many, 1 to 20000." };
    private static readonly Option<string> Prefix = new("--prefix") { HelpName = "TEXT", DefaultValueFactory = _ => "VT", Description = "First part of their serial numbers." };
    private static readonly Option<string> Models = new("--models")
    {
        HelpName = "NAME[=WEIGHT],...",
        DefaultValueFactory = _ => "counter-pos=1,scan-box=2,scanner-gun=1",
        Description = "The mix of models, see above.",
    };

    private static readonly Option<string> Encoding = new("--encoding") { DefaultValueFactory = _ => "model", Description = "What they speak: as their model does, or all the same." };
    private static readonly Option<double> BadShare = new("--bad-network") { HelpName = "SHARE", Description = "Share of terminals on a bad network, 0 to 1." };
    private static readonly Option<double> SpecialShare = new("--special") { HelpName = "SHARE", DefaultValueFactory = _ => 0.2, Description = "Share of payments that the Sandbox does not simply approve, 0 to 1." };
    private static readonly Option<Duration?> Think = Duration.Option("--think", "Longest time from an outcome to the next scan; the shortest is a tenth.", TimeSpan.FromSeconds(2));
    private static readonly Option<Duration?> For = Duration.Option("--duration", "How long they scan.", TimeSpan.FromSeconds(60));
    private static readonly Option<FileInfo?> Book = new("--book") { HelpName = "FILE", Description = "File to add the terminals' book to, as lines of JSON." };

    public static RootCommand Build()
    {
        Encoding.AcceptOnlyFromAmong("model", "json", "protobuf");
        Ca!.AcceptExistingOnly();
        Check(Terminals, n => n is >= 1 and <= 20_000, "1 to 20000");
        Check(Port, p => p is >= 1 and <= 65_535, "1 to 65535");
        Check(Prefix, p => Names.IsSerialNumber(p + "000001"), "letters, digits, '_' and '-', at most 26 of them");
        Check(BadShare, s => s is >= 0 and <= 1, "0 to 1");
        Check(SpecialShare, s => s is >= 0 and <= 1, "0 to 1");
        Models.Validators.Add(r => Explain(r, () => Mix(r.GetValueOrDefault<string>(), "model")));
        Codes.Validators.Add(r => Explain(r, () => CodesByModel(r.GetValueOrDefault<string[]>())));
        var command = new RootCommand(Notes)
        {
            Host, Port, Ca, AnyCertificate, Codes, Keys, Terminals, Prefix, Models, Encoding, BadShare, SpecialShare, Think, For, Book,
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult options, CancellationToken cancellation)
    {
        try
        {
            using var closing = new ClosingTime();
            var known = KeyFile.Load(options.GetValue(Keys));

            // What cannot be written is said before terminals get keys that nobody could keep.
            KeyFile.Save(options.GetValue(Keys), known);
            using var book = new TerminalBook(options.GetValue(Book)?.FullName);
            using var ca = LoadCa(options.GetValue(Ca));
            await using var fleet = new Fleet(Setup(options, ca), book, known);
            var report = new FleetReport(fleet, Console.Out);
            fleet.Start();
            await report.Watch(options.GetValue(For)!.Value.Time, closing);
            KeyFile.Save(options.GetValue(Keys), known.Concat(fleet.Keys));
            return report.Summary() ? 0 : 1;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static X509Certificate2? LoadCa(FileInfo? file)
    {
        try
        {
            return file is null ? null : X509CertificateLoader.LoadCertificateFromFile(file.FullName);
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"--ca: {file} is no certificate ({e.Message})", e);
        }
    }

    private static FleetSetup Setup(ParseResult options, X509Certificate2? ca)
    {
        var tls = ca is not null || options.GetValue(AnyCertificate);
        var codes = CodesByModel(options.GetValue(Codes)!);
        var think = options.GetValue(Think)!.Value.Time;
        return new FleetSetup
        {
            Terminal = new TerminalSetup
            {
                SerialNumber = "",
                Host = options.GetValue(Host)!,
                Port = options.GetValue(Port) ?? (tls ? 8883 : 1883),
                Tls = tls,
                PinnedCa = ca,
                ActivationCode = codes.GetValueOrDefault(""),
            },
            ActivationCodes = codes,
            Terminals = options.GetValue(Terminals),
            Prefix = options.GetValue(Prefix)!,
            Mix = Mix(options.GetValue(Models)!, options.GetValue(Encoding)!),
            BadNetworkShare = options.GetValue(BadShare),
            SpecialShare = options.GetValue(SpecialShare),
            MinThink = think / 10,
            MaxThink = think,
        };
    }

    private static List<ModelShare> Mix(string text, string encoding)
    {
        var mix = new List<ModelShare>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, weight) = part.Split('=') switch { [var n] => (n, "1"), [var n, var w] => (n, w), _ => (part, "") };
            var model = TerminalModel.Known.FirstOrDefault(m => m.Name == name)
                ?? throw new FormatException($"'{name}' is not one of {string.Join(", ", TerminalModel.Known.Select(m => m.Name))}");
            if (!int.TryParse(weight, out var share) || share is < 1 or > 1000)
            {
                throw new FormatException($"'{part}': a weight is 1 to 1000");
            }

            mix.Add(new ModelShare(encoding == "model" ? model : model with { Encoding = encoding == "json" ? WireEncoding.Json : WireEncoding.Protobuf }, share));
        }

        return mix.Count > 0 ? mix : throw new FormatException("no model is named");
    }

    private static Dictionary<string, string> CodesByModel(IEnumerable<string> texts)
    {
        var codes = new Dictionary<string, string>();
        foreach (var text in texts)
        {
            var (model, code) = text.Split('=') switch { [var c] => ("", c), [var m, var c] => (m, c), _ => ("?", "") };
            if (model.Length > 0 && TerminalModel.Known.All(m => m.Name != model))
            {
                throw new FormatException($"'{text}': '{model}' is no model");
            }

            codes[model] = code;
        }

        return codes;
    }

    private static void Check<T>(Option<T> option, Func<T, bool> good, string range) => option.Validators.Add(result => Explain(result, () =>
    {
        if (result.Tokens.Count > 0 && !good(result.GetValueOrDefault<T>()))
        {
            result.AddError($"{option.Name} must be {range}");
        }
    }));

    private static void Explain(System.CommandLine.Parsing.OptionResult result, Action parse)
    {
        try
        {
            parse();
        }
        catch (FormatException e)
        {
            result.AddError($"{result.Option.Name}: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // No value of its type at all; the parser itself says so.
        }
    }
}
