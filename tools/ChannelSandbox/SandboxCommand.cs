using System.CommandLine;
using System.CommandLine.Parsing;
using DeviceHub.Tools.ChannelSandbox.Accounts;

namespace DeviceHub.Tools.ChannelSandbox;

/// <summary>The command line.</summary>
internal static class SandboxCommand
{
    private const string Notes = """
        The servers of payment channels, for tests: WeChat Pay v2 and v3, Alipay and Shouqianba, over HTTP, with a book of their own and with
        faults. Signatures, fields and limits are checked as the channels' documents say. README.md beside the source has the faults, the
        amounts that ask for them, and examples.

        Examples:
          channel-sandbox --make-accounts accounts.json
          channel-sandbox --accounts accounts.json --book book.jsonl
          channel-sandbox --accounts accounts.json --seed 7 --fault-rate 0.1
        """;

    private static readonly Option<Uri> Url = new("--url") { HelpName = "URL", CustomParser = result => Parse(result, "http"), DefaultValueFactory = _ => new("http://127.0.0.1:7080"), Description = "Where it listens; a number as address, or localhost." };
    private static readonly Option<Uri?> TlsUrl = new("--tls-url") { HelpName = "URL", CustomParser = result => Parse(result, "https"), Description = "Where it listens with TLS, too; there WeChat v2 demands the merchant's certificate for reversals and refunds." };
    private static readonly Option<FileInfo> AccountsPath = new("--accounts") { HelpName = "FILE", DefaultValueFactory = _ => new("sandbox-accounts.json"), Description = "Who is known, with keys; made when it is not there." };
    private static readonly Option<FileInfo?> MakeAccounts = new("--make-accounts") { HelpName = "FILE", Description = "Write accounts with fresh keys, and end." };
    private static readonly Option<int> KeyBits = new("--key-bits") { HelpName = "NUMBER", DefaultValueFactory = _ => 2048, Description = "Of RSA keys that are made: 2048, or 1024 to measure with less of it." };
    private static readonly Option<FileInfo?> Book = new("--book") { HelpName = "FILE", Description = "The book, appended to and read again at start. [default: in memory]" };
    private static readonly Option<int> MaxOrders = new("--max-orders") { HelpName = "NUMBER", DefaultValueFactory = _ => 2_000_000, Description = "Orders that the book holds, about 500 bytes each; above it payments are answered with system errors." };
    private static readonly Option<int> Seed = new("--seed") { HelpName = "NUMBER", DefaultValueFactory = _ => 1, Description = "Of chance: the same seed, order number and call have the same fault." };
    private static readonly Option<double> FaultRate = new("--fault-rate") { HelpName = "SHARE", Description = "Of calls that something goes wrong with by chance, 0 to 1." };
    private static readonly Option<bool> PlainAmounts = new("--plain-amounts") { Description = "No amount asks for a fault." };
    private static readonly Option<double> PasswordAfter = Seconds("--password-after", 6, "How long a payer types a password.");
    private static readonly Option<long> PasswordAbove = new("--password-above") { HelpName = "FEN", Description = "Ask for a password above this amount, as WeChat does above 100000. [default: never]" };
    private static readonly Option<double> LateAfter = Seconds("--late-after", 15, "After how long a late charge comes.");
    private static readonly Option<double> SlowAfter = Seconds("--slow-after", 3, "How long a slow answer takes.");
    private static readonly Option<double> HangFor = Seconds("--hang-for", 30, "How long a call that is not answered is kept open.");
    private static readonly Option<double> RefundAfter = Seconds("--refund-after", 5, "How long a slow refund is under way.");
    private static readonly Option<double> ReverseAfter = Seconds("--reverse-after", 15, "WeChat: how long after a payment its reversal is refused.");
    private static readonly Option<double> NoticeSpeed = new("--notice-speed") { HelpName = "NUMBER", DefaultValueFactory = _ => 1, Description = "Divides the channels' waits between tries of a notice." };
    private static readonly Option<int> RateLimit = new("--rate-limit") { HelpName = "NUMBER", Description = "Calls a second and merchant. [default: no limit]" };
    private static readonly Option<bool> BillToday = new("--bill-today") { Description = "Bills of today can be had, too." };
    private static readonly Option<double> ClockSkew = new("--clock-skew") { HelpName = "SECONDS", Description = "How far the channels' clock is ahead; below 0: behind." };

    public static RootCommand Build()
    {
        Check(FaultRate, share => share is >= 0 and <= 1, "0 to 1");
        Check(KeyBits, bits => bits is 1024 or 2048 or 4096, "1024, 2048 or 4096");
        Check(MaxOrders, orders => orders is >= 1 and <= 50_000_000, "1 to 50000000");
        Check(PasswordAbove, fen => fen >= 0, "0 or more");
        Check(NoticeSpeed, speed => speed is > 0 and <= 1_000_000, "above 0, at most 1000000");
        Check(RateLimit, limit => limit >= 0, "0 or more");
        Check(ClockSkew, seconds => Math.Abs(seconds) <= 315_360_000, "at most ten years");
        var command = new RootCommand(Notes)
        {
            Url, TlsUrl, AccountsPath, MakeAccounts, KeyBits, Book, MaxOrders, Seed, FaultRate, PlainAmounts, PasswordAfter, PasswordAbove, LateAfter,
            SlowAfter, HangFor, RefundAfter, ReverseAfter, NoticeSpeed, RateLimit, BillToday, ClockSkew,
        };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            if (parsed.GetValue(MakeAccounts) is { } wanted)
            {
                AccountMaker.Make(parsed.GetValue(KeyBits)).Save(wanted.FullName);
                Console.WriteLine($"Wrote {wanted.FullName}; it is secret.");
                return 0;
            }

            await using var server = new SandboxServer(Options(parsed), Accounts(parsed), TimeProvider.System);
            await server.Start();
            Console.WriteLine($"Channels listen on {string.Join(", ", server.Urls)}");
            await server.Wait(cancellation);
            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static AccountsFile Accounts(ParseResult parsed)
    {
        var path = parsed.GetValue(AccountsPath)!.FullName;
        if (!File.Exists(path))
        {
            AccountMaker.Make(parsed.GetValue(KeyBits)).Save(path);
            Console.WriteLine($"Made accounts in {path}; it is secret.");
        }

        return AccountsFile.Load(path);
    }

    private static SandboxOptions Options(ParseResult parsed) => new()
    {
        Url = parsed.GetValue(Url)!,
        TlsUrl = parsed.GetValue(TlsUrl),
        Book = parsed.GetValue(Book)?.FullName,
        MaxOrders = parsed.GetValue(MaxOrders),
        Seed = parsed.GetValue(Seed),
        FaultRate = parsed.GetValue(FaultRate),
        AmountFaults = !parsed.GetValue(PlainAmounts),
        PasswordAfter = TimeSpan.FromSeconds(parsed.GetValue(PasswordAfter)),
        PasswordAboveFen = parsed.GetValue(PasswordAbove),
        LateAfter = TimeSpan.FromSeconds(parsed.GetValue(LateAfter)),
        SlowAfter = TimeSpan.FromSeconds(parsed.GetValue(SlowAfter)),
        HangFor = TimeSpan.FromSeconds(parsed.GetValue(HangFor)),
        RefundAfter = TimeSpan.FromSeconds(parsed.GetValue(RefundAfter)),
        ReverseAfter = TimeSpan.FromSeconds(parsed.GetValue(ReverseAfter)),
        NoticeSpeed = parsed.GetValue(NoticeSpeed),
        RateLimit = parsed.GetValue(RateLimit),
        BillToday = parsed.GetValue(BillToday),
        ClockSkew = TimeSpan.FromSeconds(parsed.GetValue(ClockSkew)),
    };

    private static Uri Parse(ArgumentResult result, string scheme)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme == scheme && (url.Host == "localhost" || System.Net.IPAddress.TryParse(url.Host, out _)))
        {
            return url;
        }

        result.AddError($"'{result.Tokens[0].Value}' is not {scheme}:// with an address in numbers, or localhost, and a port");
        return new Uri(scheme + "://127.0.0.1");
    }

    private static Option<double> Seconds(string name, double usual, string says)
    {
        var option = new Option<double>(name) { HelpName = "SECONDS", DefaultValueFactory = _ => usual, Description = says };
        Check(option, seconds => seconds is >= 0 and <= 3600, "0 to 3600 seconds");
        return option;
    }

    private static void Check<T>(Option<T> option, Func<T, bool> good, string range) => option.Validators.Add(result =>
    {
        try
        {
            if (result.Tokens.Count > 0 && !good(result.GetValueOrDefault<T>()))
            {
                result.AddError($"{option.Name} must be {range}");
            }
        }
        catch (InvalidOperationException)
        {
            // No value of its type at all; the parser itself says so.
        }
    });
}
