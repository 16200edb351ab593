using DeviceHub.Tools.LoadBench.Driver;
using DeviceHub.Tools.LoadBench.Pages;
using DeviceHub.Tools.LoadBench.Targets;

namespace DeviceHub.Tools.LoadBench;

/// <summary>A server under load, with clients that are connected for the whole bench.</summary>
internal sealed class Target(string name, ServerProcess process, LoadDriver driver, IReadOnlyList<LoadClient> clients, Tally tally, HubPages? pages = null)
{
    /// <summary>Where the hub's pages are; null: it is no hub.</summary>
    public HubPages? Pages => pages;

    public string Name => name;

    public ServerProcess Process => process;

    public IReadOnlyList<LoadClient> Clients => clients;

    public Run Measure(int number, IReadOnlyList<LoadClient> some, Work work, TimeSpan duration)
    {
        foreach (var client in some.OfType<HubClient>())
        {
            client.Prepare((int)(duration.TotalSeconds * 20_000 / some.Count));
        }

        var (server, own) = (process.CpuSeconds, Environment.CpuUsage.TotalTime);
        var took = driver.Run(some, work, tally, duration);
        var count = work == Work.Heartbeats ? tally.Heartbeats : tally.Requests;
        return new Run(
            name,
            number,
            Math.Round(count / took.TotalSeconds, 1),
            tally.P50Ms,
            tally.P99Ms,
            Math.Round(process.CpuSeconds - server, 2),
            Math.Round((Environment.CpuUsage.TotalTime - own).TotalSeconds, 2),
            Math.Round(took.TotalSeconds, 2),
            process.ResidentBytes);
    }
}

/// <summary>Measures, in turn and in one go, mosquitto, the bare endpoint and the hub.</summary>
internal sealed class Bench(Scale scale, Action<string> say) : IDisposable
{
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("devicehub-bench-");
    private readonly LoadDriver driver = new();
    private readonly Tally tally = new();
    private readonly List<IDisposable> owned = [];
    private readonly List<Run> runs = [];
    private readonly List<Figure> figures = [];

    public IReadOnlyList<Run> Runs => runs;

    public IReadOnlyList<Figure> Figures => figures;

    public IReadOnlyList<PageTime> PageTimes { get; private set; } = [];

    /// <summary>What one page may be sent in a second of a run.</summary>
    private double MostChanges => 4 + (1 / (scale.RunFor / 2).TotalSeconds);

    /// <param name="only">Names of parts to measure; empty: those of the scale.</param>
    /// <param name="seeded">A folder that the seeding tool has filled, for the pages; null: one is filled.</param>
    public async Task Run(IReadOnlyList<string> only, string? seeded)
    {
        if (Wanted("reconcile"))
        {
            await Reconcile();
        }

        if (Wanted("serial"))
        {
            var percents = Enumerable.Range(1, scale.Runs).Select(_ => SerialLines.Measure(scale.RunFor)).ToList();
            Add(Figure.Of("serial_percent_of_a_core", percents, 10, 5, atMost: true, note: $"{SerialLines.Lines} full lines at 921,600 baud: frames, links, acknowledgements"));
        }

        var targets = new List<Target>();
        if (Wanted("mosquitto"))
        {
            targets.Add(OpenMosquitto());
        }

        if (Wanted("bare"))
        {
            targets.Add(OpenBare());
        }

        if (Wanted("hub") || Wanted("http") || Wanted("watched"))
        {
            targets.Add(OpenHub("hub", []));
        }

        if (Wanted("http"))
        {
            targets.Add(OpenHubAtChannel("http-v2", "wechat-v2-direct"));
            targets.Add(OpenHubAtChannel("http-v3", "wechat-v3-direct"));
            targets.Add(OpenHubAtChannel("http-both", "wechat-v2-direct,wechat-v3-direct"));
        }

        if (Wanted("hub"))
        {
            targets.Add(OpenHub("hub+idle", ["IDLE=" + scale.IdleTerminals]));
        }

        if (only is not ["watched"])
        {
            Rates(targets);
            Singles(targets);
        }

        if (Wanted("hub") && targets.Find(t => t.Name == "hub") is { } hub)
        {
            var beats = Enumerable.Range(1, scale.Runs).Select(n => hub.Measure(n, hub.Clients, Work.Heartbeats, scale.RunFor).RequestsPerSecond).ToList();
            Add(Figure.Of("heartbeats_per_s", beats, 20_000, 40_000));
        }

        if (Wanted("watched") && targets.Find(t => t.Name == "hub") is { } looked)
        {
            await Watched(looked);
        }

        if (Wanted("tls"))
        {
            await OverTls();
        }

        if (Wanted("pages"))
        {
            await Pages(seeded);
        }

        bool Wanted(string name) => (only.Count == 0 ? scale.Parts : only).Contains(name);
    }

    public void Dispose()
    {
        driver.Dispose();
        owned.ForEach(o => o.Dispose());
        folder.Delete(recursive: true);
    }

    private Target OpenMosquitto()
    {
        var mosquitto = Own(new Mosquitto(folder.FullName));
        return Connect("mosquitto", mosquitto.Broker, mosquitto.Port, n => new EchoClient(HubChild.SerialNumber("PAY", n), tally, HubClient.RequestBytes));
    }

    private Target OpenBare()
    {
        var child = Own(ServerProcess.Child("echo"));
        var port = int.Parse(child.Expect("ready", Start), System.Globalization.CultureInfo.InvariantCulture);
        return Connect("bare", child, port, n => new EchoClient(HubChild.SerialNumber("PAY", n), tally, HubClient.RequestBytes));
    }

    private Target OpenHub(string name, string[] groups)
    {
        var (child, plain, _, pages) = StartHub([$"PAY={Scale.Payers}", "WARM=500", .. groups]);
        var target = Connect(name, child, plain, n => Terminal("PAY", n), pages);
        if (groups.Length > 0)
        {
            Warm(target, plain);
            child.Collect();
            var before = child.ResidentBytes;
            var idle = Enumerable.Range(0, scale.IdleTerminals).Select(n => Terminal("IDLE", n)).ToList();
            var took = driver.OpenAll(plain, idle, tally, 256, Start);
            child.Collect();
            Add(Figure.Of("connects_per_s", [idle.Count / took.TotalSeconds], 2000, 6000, note: $"{idle.Count} terminals, their grains not in memory before"));
            Add(Figure.Of("bytes_per_terminal", [(child.ResidentBytes - before) / (double)idle.Count], 14_000, 9_000, atMost: true));
        }

        return target;
    }

    /// <summary>The hub with a channel over HTTP that is a process of its own, its book in memory: the bank is another company's.</summary>
    private Target OpenHubAtChannel(string name, string accountNames)
    {
        var accounts = Path.Combine(folder.FullName, name + ".json");
        var sandbox = Own(ServerProcess.Start(
            "dotnet", Path.Combine(AppContext.BaseDirectory, "channel-sandbox.dll"), "--url", "http://127.0.0.1:0", "--accounts", accounts, "--plain-amounts", "--max-orders", "10000000"));
        var url = sandbox.Expect("Channels listen on", Start);
        var (child, plain, _, _) = StartHub([$"PAY={Scale.Payers}"], "hub-at", url, accounts, accountNames);
        return Connect(name, child, plain, n => Terminal("PAY", n));
    }

    /// <summary>Payments and logins of others, so that what is measured later is neither compiled nor allocated for the first time.</summary>
    private void Warm(Target target, int port)
    {
        target.Measure(0, target.Clients, Work.Requests, scale.WarmUpFor);
        driver.OpenAll(port, [.. Enumerable.Range(0, 500).Select(n => Terminal("WARM", n))], tally, 256, Start);
    }

    private void Rates(List<Target> targets)
    {
        foreach (var target in targets)
        {
            target.Measure(0, target.Clients, Work.Requests, scale.WarmUpFor);
        }

        for (var n = 1; n <= scale.Runs; n++)
        {
            foreach (var target in targets)
            {
                runs.Add(target.Measure(n, target.Clients, Work.Requests, scale.RunFor));
                say($"{target.Name} {n}: {runs[^1].RequestsPerSecond:n0}/s, p50 {runs[^1].P50Ms} ms, p99 {runs[^1].P99Ms} ms, server {runs[^1].ServerCpuSeconds} CPU s, driver {runs[^1].DriverCpuSeconds} CPU s");
            }
        }

        Ratio("relay_vs_mosquitto", "hub", "mosquitto", 0.4, 1.0);
        Ratio("relay_vs_bare", "hub", "bare");
        Ratio("relay_idle_ratio", "hub+idle", "hub", 0.9);
        OverHttp();
    }

    /// <summary>Both of WeChat's dialects, and the lower of them run by run, of which something is demanded.</summary>
    private void OverHttp()
    {
        var both = runs.Where(r => r.Target == "http-v2").Join(runs.Where(r => r.Target == "http-v3"), r => r.Number, r => r.Number, (v2, v3) => (V2: v2.RequestsPerSecond, V3: v3.RequestsPerSecond)).ToList();
        if (both.Count > 0)
        {
            Add(Figure.Of("relay_http_v2_per_s", [.. both.Select(b => b.V2)], note: "HMAC-SHA256"));
            Add(Figure.Of("relay_http_v3_per_s", [.. both.Select(b => b.V3)], note: "RSA of 2048 bits: the hub signs the request, the channel its answer"));
            Add(Figure.Of("relay_http_per_s", [.. both.Select(b => Math.Min(b.V2, b.V3))], 2500, 6000, note: "the lower of both"));
            var mixed = runs.Where(r => r.Target == "http-both").Select(r => r.RequestsPerSecond).ToList();
            Add(Figure.Of("relay_http_both_per_s", mixed, note: "one merchant with an account in each dialect: half of the payments in v2, half in v3"));
            Ratio("relay_http_v2_vs_hub", "http-v2", "hub");
            Ratio("relay_http_v3_vs_hub", "http-v3", "hub");
        }
    }

    private void Singles(List<Target> targets)
    {
        foreach (var target in targets.Where(t => t.Name != "hub+idle"))
        {
            var single = target.Clients.Take(1).ToList();
            var p50 = Enumerable.Range(0, scale.Runs + 1).Select(n => target.Measure(n, single, Work.Requests, scale.RunFor / 2).P50Ms).Skip(1).ToList();
            Add(Figure.Of(target.Name == "hub" ? "single_p50_ms" : $"single_p50_ms_{target.Name}", p50));
        }
    }

    /// <summary>
    /// Twenty people, each with a browser of the own, keep the overview open: runs with and without them, in turn at the same hub, the first of each two
    /// in turn as well, so that neither a slower moment of the machine nor the growing ledger counts for one side. Such moments last seconds: the runs are short and many.
    /// </summary>
    private async Task Watched(Target hub)
    {
        await using var watchers = await Watchers.SignIn(hub.Pages!, Scale.Watchers);
        await watchers.Open();
        hub.Measure(0, hub.Clients, Work.Requests, scale.WarmUpFor);
        await watchers.Close();
        var (ratios, rates, sent) = (new List<double>(), new List<double>(), 0.0);
        var pairs = scale.Runs * 4;
        for (var n = 1; n <= pairs; n++)
        {
            var alone = n % 2 == 0 ? One(n, "hub") : null;
            await watchers.Open();

            // What a page draws when it opens is no change of it.
            hub.Measure(0, hub.Clients, Work.Requests, scale.RunFor / 5);
            var (before, bytes) = (watchers.Batches(), watchers.Bytes());
            var watched = One(n, "hub+watched");
            sent += (watchers.Bytes() - bytes) / watched.Seconds / Scale.Watchers / 1000 / pairs;
            rates.AddRange(watchers.Batches().Zip(before, (now, then) => (now - then) / watched.Seconds));
            await watchers.Close();
            alone ??= One(n, "hub");
            ratios.Add(watched.RequestsPerSecond / alone.RequestsPerSecond);
        }

        Add(Figure.Of("relay_watched_ratio", ratios, 0.95, note: $"{Scale.Watchers} people on the overview, their clients' processor time included"));
        Add(Figure.OfWorst("watched_changes_per_s", rates, MostChanges, $"of one page while 64 terminals pay, in the mean {sent:0.0} KB/s; the limit is 4 a second, and one more at an edge of a run"));

        Run One(int n, string name)
        {
            runs.Add(hub.Measure(n, hub.Clients, Work.Requests, scale.RunFor / 2) with { Target = name });
            say($"{name} {n}: {runs[^1].RequestsPerSecond:n0}/s, p50 {runs[^1].P50Ms} ms, p99 {runs[^1].P99Ms} ms, server {runs[^1].ServerCpuSeconds} CPU s, driver {runs[^1].DriverCpuSeconds} CPU s");
            return runs[^1];
        }
    }

    /// <summary>A bill of a million rows, downloaded and parsed as the channel's; the second time every difference is there already.</summary>
    private async Task Reconcile()
    {
        var data = folder.CreateSubdirectory("reconcile");
        var rows = scale.BillRows.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Own(ServerProcess.Start(Environment.ProcessPath!, "reconcile-fill", data.FullName, rows)).Ends(TimeSpan.FromMinutes(3));
        await using var bill = await WeChatBillServer.Start(data.FullName, scale.BillRows);
        say("the ledger and the bill are made");
        var child = Own(ServerProcess.Start(Environment.ProcessPath!, "reconcile", data.FullName, rows, bill.Url));
        var said = child.Expect("reconciled", TimeSpan.FromMinutes(10)).Split(' ').Select(n => double.Parse(n, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        child.Ends(Start);
        data.Delete(recursive: true);
        var note = $"{scale.BillRows:n0} rows of a gzipped WeChat v2 bill from loopback, downloaded, parsed, matched with as many payments, reported; no warm-up, then again";
        Add(Figure.Of("reconcile_s", [said[0], said[2]], 60, atMost: true, note: note));
        Add(Figure.Of("reconcile_growth_mb", [said[1] / 1e6, said[3] / 1e6], 300, atMost: true, note: "peak resident less resident after a full collection of the idle hub"));
    }

    /// <summary>A hub that has been in use for weeks, with nearly all of its terminals connected.</summary>
    private async Task Pages(string? seeded)
    {
        if (seeded is null)
        {
            seeded = folder.CreateSubdirectory("seeded").FullName;
            Own(ServerProcess.Start("dotnet", Path.Combine(AppContext.BaseDirectory, "devicehub-seed.dll"), "--data", seeded, "--terminals", Count(scale.SeededTerminals), "--payments", Count(scale.SeededPayments)))
                .Ends(TimeSpan.FromMinutes(30));
            say("the folder is seeded");
        }

        var (_, _, _, pages) = StartHub([], "hub-in", seeded);
        using var person = await pages.SignIn();
        PageTimes = await new PageTimes(person, scale.PageRuns, say).Measure();
        foreach (var (name, limit) in new[] { ("page_first_content_ms", DeviceHub.Tools.LoadBench.Pages.PageTimes.FirstContentMs), ("page_filter_ms", DeviceHub.Tools.LoadBench.Pages.PageTimes.FilterMs) })
        {
            var medians = PageTimes.Where(p => p.LimitMs == limit).Select(p => p.MedianMs).ToList();
            Add(Figure.OfWorst(name, medians, limit, $"the slowest of {medians.Count} addresses by its median; {scale.SeededTerminals:n0} terminals, {scale.SeededPayments:n0} payments"));
        }

        static string Count(int count) => count.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task OverTls()
    {
        var (child, plain, tls, _) = StartHub([$"PAY={Scale.Payers}", "WARM=500", "IDLE=" + scale.TlsTerminals]);
        var target = Connect("hub", child, plain, n => Terminal("PAY", n));
        target.Measure(0, target.Clients, Work.Requests, scale.WarmUpFor);
        using var load = new TlsLoad();
        await load.OpenAll(tls, [.. Enumerable.Range(0, 500).Select(n => Terminal("WARM", n))], 64, Start);
        child.Collect();
        var before = child.ResidentBytes;
        var idle = Enumerable.Range(0, scale.TlsTerminals).Select(n => Terminal("IDLE", n)).ToList();
        var (server, own) = (child.CpuSeconds, Environment.CpuUsage.TotalTime);
        var took = await load.OpenAll(tls, idle, 64, Start);
        var note = $"{idle.Count} terminals; server {child.CpuSeconds - server:n1} CPU s, driver {(Environment.CpuUsage.TotalTime - own).TotalSeconds:n1} CPU s";
        child.Collect();
        Add(Figure.Of("connects_per_s_tls", [idle.Count / took.TotalSeconds], 2000, 6000, note: note));
        Add(Figure.Of("bytes_per_terminal_tls", [(child.ResidentBytes - before) / (double)idle.Count], 14_000, 9_000, atMost: true));
    }

    private (ServerProcess Child, int Plain, int Tls, HubPages Pages) StartHub(string[] groups, params string[] mode)
    {
        var child = Own(ServerProcess.Child([.. mode.Length == 0 ? ["hub"] : mode, .. groups]));
        var said = child.Expect("ready", Start).Split(' ');
        int Port(int at) => int.Parse(said[at], System.Globalization.CultureInfo.InvariantCulture);
        return (child, Port(0), Port(1), new HubPages(new Uri(said[2]), said[3], said[4]));
    }

    private HubClient Terminal(string group, int n)
    {
        var serial = HubChild.SerialNumber(group, n);
        return new HubClient(serial, HubChild.KeyOf(serial), tally);
    }

    private Target Connect(string name, ServerProcess process, int port, Func<int, LoadClient> make, HubPages? pages = null)
    {
        var clients = Enumerable.Range(0, Scale.Payers).Select(make).ToList();
        driver.OpenAll(port, clients, tally, 16, Start);
        return new Target(name, process, driver, clients, tally, pages);
    }

    /// <summary>Run by run, so that what slows the machine for a while slows both sides.</summary>
    private void Ratio(string figure, string of, string to, double? limit = null, double? aim = null)
    {
        var values = runs.Where(r => r.Target == of).Join(runs.Where(r => r.Target == to), r => r.Number, r => r.Number, (a, b) => a.RequestsPerSecond / b.RequestsPerSecond).ToList();
        if (values.Count > 0)
        {
            Add(Figure.Of(figure, values, limit, aim));
        }
    }

    private void Add(Figure figure)
    {
        figures.Add(figure);
        say($"{figure.Name} {figure.Value} ({figure.Min} to {figure.Max}){(figure.Holds == false ? " MISSED" : "")}");
    }

    private T Own<T>(T thing)
        where T : IDisposable
    {
        owned.Add(thing);
        return thing;
    }
}
