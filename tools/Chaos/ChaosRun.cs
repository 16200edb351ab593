using System.Diagnostics;
using System.Text.RegularExpressions;
using DeviceHub.Storage;
using DeviceHub.Tools.Demo;
using DeviceHub.Tools.Demo.Books;
using DeviceHub.Tools.VirtualTerminals;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.Tools.Chaos;

/// <summary>Hub and channels as processes, terminals under load, kills, and the comparison of the three books.</summary>
internal sealed partial class ChaosRun : IAsyncDisposable
{
    private const int CashiersATerminal = 4;

    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(120);

    private readonly ChaosOptions options;
    private readonly Action<string> say;
    private readonly string folder;
    private readonly Random random;
    private readonly TerminalBook book = new();
    private readonly Uri hubUrl;
    private readonly int mqttPort;
    private readonly Child hub;
    private readonly Child sandbox;
    private readonly Channels channels;
    private readonly DateTimeOffset since = TimeProvider.System.GetUtcNow();
    private readonly List<VirtualTerminal> terminals = [];
    private int kills;

    public ChaosRun(ChaosOptions options, string folder, Action<string> say)
    {
        (this.options, this.folder, this.say, random) = (options, folder, say, new Random(options.Seed));
        hubUrl = new Uri($"http://127.0.0.1:{Ports.Free()}");
        mqttPort = Ports.Free();
        var sandboxUrl = new Uri($"http://127.0.0.1:{Ports.Free()}");
        sandbox = new Child(
            "channel-sandbox.dll", Path.Combine(folder, "channels.log"), new Uri(sandboxUrl, "/book?limit=1"), HubArguments.Channels(folder, sandboxUrl, options.Seed));
        hub = new Child(
            "DeviceHub.Server.dll", Path.Combine(folder, "hub.log"), new Uri(hubUrl, "/health/ready"),
            HubArguments.Of(DataFolder, hubUrl, mqttPort, Ports.Free(), sandboxUrl));
        channels = new Channels(sandboxUrl, HubArguments.AccountsFile(folder));
    }

    /// <summary>What the three books say against each other at the end.</summary>
    public IReadOnlyList<Difference> Differences { get; private set; } = [];

    private string DataFolder => Path.Combine(folder, "data");

    /// <exception cref="ChaosException">The run could not be made.</exception>
    public async Task<ChaosResult> Run(CancellationToken cancellation)
    {
        await sandbox.Start(cancellation);
        await hub.Start(cancellation);
        var password = PasswordLine().Match(hub.FirstOutput) is { Success: true } line ? line.Groups[1].Value : throw new ChaosException("the hub did not print its first password");
        using var client = new HubClient(hubUrl, (await HubClient.FirstSignIn(hubUrl, "admin", password)).ApiKey);
        var merchant = await client.MakeMerchant("Noodle shop");
        await channels.MakeAccounts(client, merchant);
        await StartTerminals(await client.MakeActivationCode(await client.MakeStore(merchant, "Main street"), TerminalModel.CounterPos.Name, options.Terminals), cancellation);
        await channels.SetChance(options.Seed, options.FaultRate);
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var fair = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var cashiers = terminals.SelectMany(t => Enumerable.Range(0, CashiersATerminal).Select(lane => new Cashier(t, book, client, lane, CashiersATerminal, random.Next()).Work(closing.Token))).ToList();
        var weather = Weather(new Random(random.Next()), fair.Token);
        await KillAgainAndAgain(cancellation);
        await closing.CancelAsync();
        await fair.CancelAsync();
        await weather;
        await channels.SetChance(options.Seed, 0);
        say($"{kills} kills; no new scans, {book.Entries.Count(e => !e.IsSettled)} payments are open");
        await Settle(Task.WhenAll(cashiers), client, cancellation);
        return ChaosResult.Of(kills, book.Entries.Count, Differences);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(terminals.Select(t => t.DisposeAsync().AsTask()));
        await hub.DisposeAsync();
        await sandbox.DisposeAsync();
        channels.Dispose();
        book.Dispose();
    }

    private async Task StartTerminals(string activationCode, CancellationToken cancellation)
    {
        terminals.AddRange(Enumerable.Range(1, options.Terminals).Select(n => new VirtualTerminal(Describe(n, activationCode), book)));
        terminals.ForEach(t => t.Start());
        var from = Stopwatch.GetTimestamp();
        while (!terminals.TrueForAll(t => t.IsSynced))
        {
            if (Stopwatch.GetElapsedTime(from) > ReadyLimit)
            {
                throw new ChaosException($"only {terminals.Count(t => t.IsSynced)} of {terminals.Count} terminals are logged in: {terminals.Find(t => !t.IsSynced)?.LastFault}");
            }

            await Task.Delay(50, cancellation);
        }
    }

    private TerminalSetup Describe(int n, string activationCode) => new()
    {
        SerialNumber = $"CHAOS-{n:0000}",
        HardwareId = $"HW-{n:0000}",
        Port = mqttPort,
        ActivationCode = activationCode,
        Network = n % 4 == 0 ? NetworkFaults.Bad : NetworkFaults.None,
        BackOff = TimeSpan.FromMilliseconds(100),
        MaxBackOff = TimeSpan.FromMilliseconds(400),
        Jitter = TimeSpan.FromMilliseconds(200),
        RepeatAfter = TimeSpan.FromSeconds(1),
        AskAfter = TimeSpan.FromSeconds(3),
    };

    private async Task KillAgainAndAgain(CancellationToken cancellation)
    {
        var from = Stopwatch.GetTimestamp();
        await KillWhileAPayerTypes(cancellation);
        await hub.Start(cancellation);
        while ((options.Kills is not { } wanted || kills < wanted) && (options.Duration is not { } limit || Stopwatch.GetElapsedTime(from) < limit))
        {
            // Now and then long enough for what waits to be finished.
            var moment = TimeSpan.FromMilliseconds(random.Next(150, random.Next(6) == 0 ? 4000 : 1200));
            await Task.Delay(moment, cancellation);
            await Kill($"{moment.TotalMilliseconds} ms after it was ready");
            await hub.Start(cancellation);
        }
    }

    /// <summary>
    /// The first kill has its moment chosen: a payer is typing a password, and pays while there is no hub. If a cashier's cancel came before
    /// the kill, the next payer's moment is taken.
    /// </summary>
    private async Task KillWhileAPayerTypes(CancellationToken cancellation)
    {
        while (true)
        {
            var typing = await Until(channels.Typing, number => number is not null, "a payer types a password", cancellation);
            await Kill($"while the payer of {typing} typed a password");
            var end = await Until(
                async () => (await channels.Book()).Single(c => c.Order == typing), c => c.NetFen > 0 || !c.Open, "the channel is done with it although the hub is dead", cancellation);
            if (end.NetFen == end.AmountFen)
            {
                say($"{typing} was charged while the hub was dead");
                return;
            }

            if (kills == options.Kills)
            {
                return;
            }

            await hub.Start(cancellation);
        }
    }

    private async Task Kill(string when)
    {
        await hub.Kill();
        kills++;
        say($"kill {kills}, {when}: {book.Entries.Count} payments, {book.Entries.Count(e => !e.IsSettled)} open");
    }

    /// <summary>What no order number asks for: a moment without connections, and refusals after which another account is safe.</summary>
    private async Task Weather(Random chance, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await Task.Delay(chance.Next(300, 1500), cancellation);
                await channels.Ask(chance.Next(4) == 0
                    ? new { fault = "refuse-connections", api = (string?)null, times = 1, afterMs = chance.Next(100, 600) }
                    : new { fault = "no-permission", api = (string?)"Pay", times = chance.Next(1, 4), afterMs = 0 });
            }
        }
        catch (OperationCanceledException)
        {
            // The end of the load.
        }
    }

    /// <summary>Until the three books agree and all is settled, or the time for that is over. The ledger is read from the hub's file.</summary>
    /// <exception cref="ChaosException">The time was over before the books were compared, or a cashier has failed.</exception>
    private async Task Settle(Task cashiers, HubClient client, CancellationToken cancellation)
    {
        var from = Stopwatch.GetTimestamp();
        bool IsQuiet() => cashiers.IsCompleted && terminals.TrueForAll(t => t.OpenPayments == 0);
        while (!IsQuiet() && Stopwatch.GetElapsedTime(from) < SettleLimit)
        {
            await Task.Delay(200, cancellation);
        }

        // Opened when no payment begins any more: keys that wait to be written are read when the ledger is opened, and those of later payments are the hub's alone.
        await using var storage = new ServiceCollection().AddLogging().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddHubStorage(DataFolder).BuildServiceProvider();
        var books = new HubBooks(storage, channels.Book, book, terminals.Select(t => t.SerialNumber), since);
        var agree = false;
        do
        {
            // Asked before the comparison: what was quiet then is in it.
            var quiet = IsQuiet();
            try
            {
                var found = await books.CompareAll();
                Differences = found.Count > 0 ? found : await HubList.Differences(client, books.Payments);
                agree = quiet && Differences.Count == 0;
            }
            catch (TimeoutException)
            {
                // A busy machine broke the reading off.
            }

            await Task.Delay(200, cancellation);
        }
        while (!agree && Stopwatch.GetElapsedTime(from) < SettleLimit);

        if (cashiers.IsCompleted)
        {
            await cashiers;
        }

        if (!agree && Differences.Count == 0)
        {
            throw new ChaosException($"within {SettleLimit.TotalSeconds} s the books could not be compared when the terminals were quiet");
        }

        var tally = BookTally.Of(book.Entries);
        say($"{tally.Payments} payments: {tally.Approved} approved, {tally.Declined} declined, {tally.NotCharged} not charged, {tally.Refunded} refunded, {tally.Refused} refused");
        say($"{books.Payments.Count(p => p.ChannelOrders.Count > 1)} went on to another account, of {books.Payments.Count(p => p.RefundedFen > 0)} a part was given back");
        say($"of {books.Payments.Count(p => p.Notices > 0)} a channel told what the hub did not know");
        say($"settled {Stopwatch.GetElapsedTime(from).TotalSeconds:n1} s after the last scan");
    }

    private static async Task<T> Until<T>(Func<Task<T>> read, Func<T, bool> holds, string what, CancellationToken cancellation)
    {
        var from = Stopwatch.GetTimestamp();
        while (true)
        {
            var value = await read();
            if (holds(value))
            {
                return value;
            }

            if (Stopwatch.GetElapsedTime(from) > ReadyLimit)
            {
                throw new ChaosException($"within {ReadyLimit.TotalSeconds} s it did not come to pass that {what}");
            }

            await Task.Delay(50, cancellation);
        }
    }

    [GeneratedRegex(@"shown this once:\s*(\S+)", RegexOptions.IgnoreCase)]
    private static partial Regex PasswordLine();
}
