namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>What a fleet is made of. Shares are 0 to 1.</summary>
public sealed record FleetSetup
{
    /// <summary>What every terminal has in common; serial number, hardware id, model and network are set for each.</summary>
    public required TerminalSetup Terminal { get; init; }

    public int Terminals { get; init; } = 12;

    /// <summary>First part of serial numbers; a number follows.</summary>
    public string Prefix { get; init; } = "VT";

    public IReadOnlyList<ModelShare> Mix { get; init; } = [new(TerminalModel.CounterPos, 1)];

    /// <summary>By model name; a model without one of its own activates with the terminal's.</summary>
    public IReadOnlyDictionary<string, string> ActivationCodes { get; init; } = new Dictionary<string, string>();

    public double BadNetworkShare { get; init; }

    /// <summary>Of payments whose amount makes the Sandbox decline, ask for a password, lose its answer, ...</summary>
    public double SpecialShare { get; init; } = 0.2;

    /// <summary>The last two digits of those amounts.</summary>
    public IReadOnlyList<int> SpecialEndings { get; init; } = PaymentCodes.SpecialEndings;

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
        var models = ModelShare.Spread(setup.Mix);
        Terminals = [.. Enumerable.Range(1, setup.Terminals).Zip(models, (n, model) => new VirtualTerminal(Describe(n, model, keys), book))];
    }

    public TerminalBook Book { get; }

    public IReadOnlyList<VirtualTerminal> Terminals { get; }

    /// <summary>Of the terminals that have one, by serial number: an earlier run's for the next.</summary>
    public Dictionary<string, byte[]> Keys => Terminals.Where(t => t.Key is not null).ToDictionary(t => t.SerialNumber, t => t.Key!);

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
        scanning.Dispose();
        off.Dispose();
    }

    private TerminalSetup Describe(int n, TerminalModel model, IReadOnlyDictionary<string, byte[]>? keys)
    {
        var serial = $"{setup.Prefix}{n:d6}";
        var bad = Math.Floor(n * setup.BadNetworkShare) > Math.Floor((n - 1) * setup.BadNetworkShare);
        return setup.Terminal with
        {
            SerialNumber = serial,
            HardwareId = "HW-" + serial,
            Key = keys?.GetValueOrDefault(serial),
            Model = model,
            ActivationCode = setup.ActivationCodes.GetValueOrDefault(model.Name, setup.Terminal.ActivationCode!),
            Network = bad ? NetworkFaults.Bad : setup.Terminal.Network,
        };
    }

    private async Task Cashier(VirtualTerminal terminal)
    {
        try
        {
            for (var scan = 1; !scanning.IsCancellationRequested && !Book.IsFull; scan++)
            {
                await Task.Delay(setup.MinThink + ((setup.MaxThink - setup.MinThink) * Random.Shared.NextDouble()), scanning.Token);
                while (!terminal.IsSynced)
                {
                    await Task.Delay(50, scanning.Token);
                }

                var order = scan % 2 == 0 ? $"{terminal.SerialNumber}-{scan}-{Random.Shared.Next():x8}" : null;
                await terminal.Pay(PaymentCodes.Amount(setup.SpecialShare, setup.SpecialEndings), PaymentCodes.Random(), order, off.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Closing time.
        }
    }
}
