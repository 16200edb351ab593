using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Server.Hosting;
using DeviceHub.Tools.Demo.Books;
using DeviceHub.Tools.VirtualTerminals;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.Tools.Demo;

/// <summary>A hub and its terminals, from the start to the comparison of their books.</summary>
internal sealed class DemoRun : IAsyncDisposable
{
    public static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);

    /// <summary>All that the Sandbox can do; what happens most at a counter comes twice.</summary>
    private static readonly int[] Endings = [1, 1, 2, 2, 10, 10, 11, 20, 21, 22, 23, 24, 24, 30, 40, 41, 42, 43, 50];

    private readonly DemoHub hub;
    private readonly HubClient client;
    private readonly X509Certificate2 ca;
    private readonly TerminalBook book = new();
    private readonly HubBooks books;
    private readonly Kept kept;
    private readonly long began = Stopwatch.GetTimestamp();
    private TimeSpan? scanned;

    private DemoRun(DemoHub hub, HubClient client, X509Certificate2 ca, Kept kept, FleetSetup setup)
    {
        (this.hub, this.client, this.ca, this.kept) = (hub, client, ca, kept);
        Fleet = new Fleet(setup, book, kept.Keys);
        var bank = hub.Services.GetRequiredService<SandboxBank>();
        books = new HubBooks(
            hub.Services, () => Task.FromResult<IReadOnlyCollection<SandboxCharge>>(bank.Charges()), book, Fleet.Terminals.Select(t => t.SerialNumber), TimeProvider.System.GetUtcNow());
    }

    public HubStart Hub => hub.Facts;

    /// <summary>Opens the hub's pages; null: the data folder is of an older demo, which told it once.</summary>
    public string? Password => kept.Password;

    public Fleet Fleet { get; }

    public int Configured => Fleet.Terminals.Count(t => t.ConfigurationVersion > 0);

    public IReadOnlyList<Difference> Differences { get; private set; } = [];

    /// <summary>Since the start of the terminals.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(began);

    /// <summary>Since the end of the scanning; null: terminals scan.</summary>
    public TimeSpan? Settling => scanned is { } at ? Elapsed - at : null;

    public DemoResult Result => DemoResult.Of(this, book.Entries);

    /// <exception cref="StartException">The hub cannot start, or the folder is another hub's.</exception>
    public static async Task<DemoRun> Start(string dataFolder, DemoOptions options, DemoLog log)
    {
        var hub = await DemoHub.Start(dataFolder, options.Terminals, log);
        try
        {
            var kept = Kept.Load(dataFolder) ?? await FirstTime(hub.Facts);
            kept.Save(dataFolder);
            var client = new HubClient(hub.Facts.Pages[0], kept.ApiKey);
            var ca = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(dataFolder, "tls", "ca.pem"));
            var run = new DemoRun(hub, client, ca, kept, new FleetSetup
            {
                Terminal = new TerminalSetup
                {
                    SerialNumber = "",
                    Port = hub.Facts.Tls!.Port,
                    Tls = true,
                    PinnedCa = ca,
                    ActivationCode = await client.MakeActivationCode(kept.StoreId, "demo", options.Terminals),
                    AskAfter = TimeSpan.FromSeconds(10),
                    BackOff = TimeSpan.FromSeconds(0.5),
                    MaxBackOff = TimeSpan.FromSeconds(5),
                    Jitter = TimeSpan.FromSeconds(2),
                },
                ActivationCodes = new Dictionary<string, string> { [DemoHub.Unsealed] = await client.MakeActivationCode(kept.StoreId, DemoHub.Unsealed, options.Terminals) },
                Terminals = options.Terminals,
                Prefix = "T",
                Mix = [new(TerminalModel.ScanBox, 4), new(TerminalModel.CounterPos, 3), new(TerminalModel.ScannerGun, 2), new(TerminalModel.JsonBox, 2), new(TerminalModel.PlainScanner, 1)],
                BadNetworkShare = options.BadNetworkShare,
                SpecialShare = 0.15,
                SpecialEndings = Endings,
                MaxThink = TimeSpan.FromSeconds(3),
            });
            await run.books.CompareAll();
            run.Fleet.Start();
            return run;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <summary>Scans for the time that was asked for, or until somebody ends it; then waits until the three books agree, at most 60 s.</summary>
    /// <param name="tick">Called about four times a second.</param>
    public async Task Run(TimeSpan? duration, ClosingTime closing, Action tick)
    {
        while (Fleet.Terminals.Any(t => !t.IsSynced) && Elapsed < ReadyLimit && !closing.Scanning.IsCancellationRequested)
        {
            await Tick(tick, books.CompareKnown);
        }

        Keep();
        await Configure();
        var from = Elapsed;
        while (!closing.Scanning.IsCancellationRequested && (duration is null || Elapsed - from < duration))
        {
            await Tick(tick, books.CompareKnown);
        }

        Fleet.StopScanning();
        scanned = Elapsed;
        bool agree;
        do
        {
            // Asked before the comparison: what was quiet then is in it.
            var quiet = Fleet.IsQuiet;
            agree = await Tick(tick, books.CompareAll) && quiet && Differences.Count == 0;
        }
        while (!agree && Settling < SettleLimit && !closing.Settling.IsCancellationRequested);
        if (!agree)
        {
            Differences = await books.CompareAll();
            tick();
        }

        Keep();
    }

    public async ValueTask DisposeAsync()
    {
        await Fleet.DisposeAsync();
        client.Dispose();
        await hub.DisposeAsync();
        ca.Dispose();
        book.Dispose();
    }

    private static async Task<Kept> FirstTime(HubStart facts)
    {
        var first = facts.FirstPassword ?? throw new StartException($"'{facts.DataFolder}' is the data folder of a hub that is not the demo's; give an empty one");
        var (apiKey, password) = await HubClient.FirstSignIn(facts.Pages[0], facts.UserName, first);
        using var client = new HubClient(facts.Pages[0], apiKey);
        var store = await client.MakeStore(await client.MakeMerchant("老王面馆 Wang's Noodles"), "人民路店 Renmin Road");
        return new Kept(apiKey, store, [], password);
    }

    /// <summary>The terminals' keys, for the next demo in this folder: also for one that follows a demo which was killed.</summary>
    private void Keep() => (kept with { Keys = Fleet.Keys }).Save(Hub.DataFolder);

    /// <summary>Each terminal that has come up gets a configuration.</summary>
    private async Task Configure()
    {
        foreach (var terminal in Fleet.Terminals.Where(t => t.IsSynced))
        {
            await client.Configure(terminal.SerialNumber, new { speech = new { volume = 7 }, screen = new { brightness = 80, idle_text = "请扫码 Please scan" } });
        }
    }

    /// <returns>False: a busy machine broke the reading off, and the differences are those of the last time.</returns>
    private async Task<bool> Tick(Action tick, Func<Task<IReadOnlyList<Difference>>> compare)
    {
        var from = Elapsed;
        var compared = true;
        try
        {
            Differences = await compare();
        }
        catch (TimeoutException)
        {
            compared = false;
        }

        tick();
        // With many payments comparing and drawing take long: they may have a fifth of the time.
        var took = Elapsed - from;
        await Task.Delay(took * 4 > Step ? took * 4 : Step);
        return compared;
    }
}
