using DeviceHub.Tests;
using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.IntegrationTests.Kill;

/// <summary>
/// The whole of it: terminals over MQTT, sealed and on good and bad networks, a hub that is killed with SIGKILL in the middle of payments
/// of every kind, and a Sandbox in a third process. <c>DEVICEHUB_KILLS</c> and <c>DEVICEHUB_SEED</c> choose how often and when.
/// </summary>
public sealed class NetworkKillTests(ITestOutputHelper output)
{
    private const int Terminals = 8;
    private const int CashiersATerminal = 2;

    private static readonly int[] Kinds = [0, 99, 60, 98, 1, 2, 10, 11, 20, 21, 22, 23, 24, 30, 40, 41, 42, 43, 50];

    [Fact]
    public async Task Terminals_ledger_and_bank_agree_to_the_fen_after_the_hub_was_killed_in_the_middle_of_payments()
    {
        var seed = EnvironmentNumber.Of("DEVICEHUB_SEED", 1);
        var random = new Random(seed);
        await using var sandbox = new SandboxProcess(ShortWaits.Sandbox);
        await sandbox.Start();
        await using var hub = new HubProcess(
            null,
            [
                .. ShortWaits.Payments, $"--Sandbox:Url={sandbox.Url}", "--Server:ApiRequestsPerSecond=1000",
                "--Mqtt:ConnectBurst=100000", "--Mqtt:MaxConnectionsNotLoggedInPerAddress=1000", "--Mqtt:PacketsPerSecond=1000",
            ]);
        await hub.Start();
        using var people = await HubOperator.SignIn(hub.Url, hub.FirstPassword!);
        var code = await people.MakeActivationCode(TerminalModel.CounterPos.Name, Terminals);
        using var book = new TerminalBook();
        var terminals = Enumerable.Range(1, Terminals).Select(n => new VirtualTerminal(Describe(n, hub.MqttPort, code), book)).ToList();
        try
        {
            terminals.ForEach(t => t.Start());
            await Eventually.Holds(() => terminals.All(t => t.IsSynced), "all terminals are activated and logged in");
            using var closing = new CancellationTokenSource();
            var cashiers = terminals.SelectMany(t => Enumerable.Range(0, CashiersATerminal).Select(lane => Cashier(t, book, lane, new Random(random.Next()), closing.Token))).ToList();

            await KillWhileTheBankWaits(hub, sandbox);
            for (var kill = 2; kill <= EnvironmentNumber.Of("DEVICEHUB_KILLS", 5); kill++)
            {
                await hub.Start();
                var moment = TimeSpan.FromMilliseconds(random.Next(100, 3500));
                await Eventually.Passes(moment);
                await hub.Kill();
                output.WriteLine($"seed {seed}, kill {kill}, {moment.TotalMilliseconds} ms after the start: {book.Entries.Count} payments, {book.Entries.Count(e => !e.IsSettled)} open");
            }

            await hub.Start();
            await closing.CancelAsync();
            var books = new ThreeBooks(book, people, sandbox);
            await Eventually.Becomes(books.Differences, found => found.Length == 0, $"the three books agree (seed {seed})", TimeSpan.FromSeconds(60));
            await Task.WhenAll(cashiers);
            output.WriteLine(string.Join(", ", book.Entries.GroupBy(e => e.Told).Select(g => $"{g.Key} {g.Count()}")));
            Assert.Contains(book.Entries, e => e.Told == Told.Approved);
        }
        finally
        {
            await Task.WhenAll(terminals.Select(t => t.DisposeAsync().AsTask()));
        }
    }

    /// <summary>The first kill has its moment chosen: a customer is typing a password, and pays while there is no hub.</summary>
    private async Task KillWhileTheBankWaits(HubProcess hub, SandboxProcess sandbox)
    {
        var typing = await Eventually.Becomes(async () => (await sandbox.Book()).FirstOrDefault(c => c.Open && c.AmountFen % 100 == 10), c => c is not null, "a customer types a password");
        await hub.Kill();
        await Eventually.Holds(
            async () => (await sandbox.Book()).Any(c => c.Order == typing!.Order && c.NetFen == c.AmountFen), "the bank charges although the hub is dead");
        output.WriteLine($"kill 1: order {typing!.Order} was charged while the hub was dead");
    }

    private static TerminalSetup Describe(int n, int port, string code) => new()
    {
        SerialNumber = $"KILL-{n:0000}",
        HardwareId = $"HW-{n:0000}",
        Port = port,
        ActivationCode = code,
        Network = n % 4 == 0 ? NetworkFaults.Bad : NetworkFaults.None,
        BackOff = TimeSpan.FromMilliseconds(100),
        MaxBackOff = TimeSpan.FromMilliseconds(400),
        Jitter = TimeSpan.FromMilliseconds(200),
        RepeatAfter = TimeSpan.FromSeconds(1),
        AskAfter = TimeSpan.FromSeconds(3),
    };

    /// <summary>Scans until closing time; no two scans of a terminal have the same amount, which would look like a second scan.</summary>
    private static async Task Cashier(VirtualTerminal terminal, TerminalBook book, int lane, Random random, CancellationToken closing)
    {
        for (var scan = 1; !closing.IsCancellationRequested; scan++)
        {
            var amount = (((scan * CashiersATerminal) + lane) * 100L) + Kinds[random.Next(Kinds.Length)];
            var order = scan % 2 == 0 ? $"{terminal.SerialNumber}-{lane}-{scan}" : null;
            var paying = terminal.Pay(amount, PaymentCodes.Random(), order, CancellationToken.None);
            if (random.Next(8) == 0)
            {
                await Undo(terminal, book, amount);
            }

            await paying;
        }
    }

    private static async Task Undo(VirtualTerminal terminal, TerminalBook book, long amount)
    {
        var entry = await Eventually.Becomes(
            () => Task.FromResult(book.Entries.FirstOrDefault(e => e.SerialNumber == terminal.SerialNumber && e.AmountFen == amount)),
            e => e is { IsSettled: true } or { WasAccepted: true },
            "the hub has answered the request that is to be cancelled",
            TimeSpan.FromSeconds(60));
        try
        {
            await terminal.Cancel(entry!.RequestId);
        }
        catch (Exception e) when (e is TerminalException or OperationCanceledException)
        {
            // The hub is dead at this moment; nothing was cancelled.
        }
    }
}
