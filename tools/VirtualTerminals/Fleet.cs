using DeviceHub.Protocol;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>What a fleet is made of. Shares are 0 to 1.</summary>
public sealed record FleetSetup
{
    /// <summary>What every terminal has in common; serial number, hardware id, encoding and network are set for each.</summary>
    public required TerminalSetup Terminal { get; init; }

    public int Terminals { get; init; } = 12;

    /// <summary>First part of serial numbers; a number follows.</summary>
    public string Prefix { get; init; } = "VT";

    public double JsonShare { get; init; }

    public double BadNetworkShare { get; init; }

    /// <summary>Of a model that does not seal; they need <see cref="UnsealedCode"/>.</summary>
    public double UnsealedShare { get; init; }

    public string? UnsealedCode { get; init; }

    /// <summary>Of payments whose amount makes the Sandbox decline, ask for a password, lose its answer, ...</summary>
    public double SpecialShare { get; init; } = 0.2;

    /// <summary>From an outcome to the next scan.</summary>
    public TimeSpan MinThink { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan MaxThink { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>Terminals with a cashier each, who scans, waits for what became of it, thinks, and scans again.</summary>
public sealed class Fleet : IAsyncDisposable
{
    private readonly FleetSetup setup;
    private readonly CancellationTokenSource scanning = new();
    private readonly CancellationTokenSource off = new();
    private readonly List<Task> cashiers = [];

    /// <param name="keys">By serial number, of an earlier run; a terminal without one activates.</param>
    public Fleet(FleetSetup setup, TerminalBook book, IReadOnlyDictionary<string, byte[]>? keys = null)
    {
        this.setup = setup;
        Book = book;
        Terminals = [.. Enumerable.Range(1, setup.Terminals).Select(n => new VirtualTerminal(Describe(n, keys), book))];
    }

    public TerminalBook Book { get; }

    public IReadOnlyList<VirtualTerminal> Terminals { get; }

    public void Start()
    {
        foreach (var terminal in Terminals)
        {
            terminal.Start();
            cashiers.Add(Task.Run(() => Cashier(terminal)));
        }
    }

    /// <summary>No new scans; what is open is followed on.</summary>
    public void StopScanning() => scanning.Cancel();

    /// <summary>Whether every scan is settled as far as its terminal knows. After <see cref="StopScanning"/> it stays so.</summary>
    public bool IsQuiet => cashiers.TrueForAll(c => c.IsCompleted) && Terminals.All(t => t.OpenPayments == 0);

    public async ValueTask DisposeAsync()
    {
        await scanning.CancelAsync();
        await off.CancelAsync();
        await Task.WhenAll(Terminals.Select(t => t.DisposeAsync().AsTask()));
        await Task.WhenAll(cashiers);
    }

    private TerminalSetup Describe(int n, IReadOnlyDictionary<string, byte[]>? keys)
    {
        var serial = $"{setup.Prefix}{n:d6}";
        var unsealed = IsOf(n, setup.UnsealedShare, 0);
        return setup.Terminal with
        {
            SerialNumber = serial,
            HardwareId = "HW-" + serial,
            Key = keys?.GetValueOrDefault(serial),
            Seals = !unsealed,
            ActivationCode = unsealed ? setup.UnsealedCode : setup.Terminal.ActivationCode,
            Encoding = unsealed || IsOf(n, setup.JsonShare, 1) ? WireEncoding.Json : WireEncoding.Protobuf,
            Network = IsOf(n, setup.BadNetworkShare, 2) ? NetworkFaults.Bad : setup.Terminal.Network,
        };
    }

    /// <summary>Spreads a share evenly over the numbers, each kind with its own offset, so that kinds mix.</summary>
    private static bool IsOf(int n, double share, int offset) => Math.Floor((n + offset) * share) > Math.Floor((n + offset - 1) * share);

    private async Task Cashier(VirtualTerminal terminal)
    {
        try
        {
            for (var scan = 1; !scanning.IsCancellationRequested; scan++)
            {
                await Task.Delay(setup.MinThink + ((setup.MaxThink - setup.MinThink) * Random.Shared.NextDouble()), scanning.Token);
                while (!terminal.IsSynced)
                {
                    await Task.Delay(50, scanning.Token);
                }

                var order = scan % 2 == 0 ? $"{terminal.SerialNumber}-{scan}-{Random.Shared.Next():x8}" : null;
                await terminal.Pay(PaymentCodes.Amount(setup.SpecialShare), PaymentCodes.Random(), order, off.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Closing time.
        }
    }
}
