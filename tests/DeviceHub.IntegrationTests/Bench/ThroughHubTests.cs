using System.Text.Json;
using DeviceHub.IntegrationTests.Firmware;
using DeviceHub.Tests;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Emulation;
using DeviceHub.Tools.Bench.Hub;
using DeviceHub.Tools.Bench.Plans;
using DeviceHub.Tools.Bench.Reports;
using DeviceHub.Tools.Chaos;
using ToolTexts = DeviceHub.Tools.Bench.Texts;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The bench as a client of a hub that runs: the C kit's terminals on MQTT and on a cable, emulated ones that are broken, and the tool as people use it.</summary>
public sealed class ThroughHubTests(KitHub hub) : IClassFixture<KitHub>, IDisposable
{
    private const string Plan = """
        steps:
          - identity: { model: S1, firmware: "^c-kit", serial-number: "^BENCH-" }
          - key-proof
          - signal: { at-least-dbm: -80 }
          - sim
          - battery
          - heartbeat: { count: 1, jitter-ms: 1500 }
          - sim
          - configuration
          - payment: { result: approved, request-ms: 3000, shown-ms: 3000 }
          - payment: { result: declined, request-ms: 3000, shown-ms: 3000 }
          - payment: { result: in-doubt, request-ms: 3000, shown-ms: 3000 }
          - show: { text: "𠮷野家", ask: Is it there? }
          - power-cut: { back-s: 20 }
          - conformance: { cases: [S05, L01, C0, C10, K, P08, P12, P13] }
          - round-trips
          - baud
          - noise
          - decode-rate
          - cashier
          - soak
          - conformance: { cases: [S] }
        """;

    private static readonly string[] NeedsLine = ["round-trips", "baud", "noise", "decode-rate", "cashier", "soak"];
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("through-hub-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Terminals_of_the_C_kit_on_MQTT_and_on_a_cable_pass_a_plan_and_what_needs_the_line_is_not_run_and_says_so()
    {
        var path = Path.Combine(folder, "plan.yaml");
        await File.WriteAllTextAsync(path, Plan);
        var plan = PlanReader.Read(path);
        string[] more = ["--signal", "-71", "--iccid", "89860012345678901234"];
        var reports = await Task.WhenAll(
            Tested("BENCH-MQTT", plan, flash => hub.Mqtt("BENCH-MQTT", flash, more)), Tested("BENCH-LINE", plan, flash => hub.Serial("BENCH-LINE", flash, more)));

        Assert.All(reports, report =>
        {
            Assert.Equal((hub.Url.ToString(), "", "S1"), (report.Hub, report.Port, report.Unit!.Model));
            var steps = plan.Steps.Zip(report.Steps, (planned, step) => (planned.Kind.Name, Step: step)).ToList();
            // The first heartbeat of the session told the SIM, the later one does not.
            var later = steps.FindLastIndex(s => s.Name == "sim");
            Assert.Equal(StepStatus.Skipped, steps[later].Step.Status);
            Assert.Contains("only the first of a session does", steps[later].Step.Detail, StringComparison.Ordinal);
            Assert.All(steps[..^1].Where((_, i) => i != later), s => Assert.True(
                s.Step.Status == (NeedsLine.Append("battery").Contains(s.Name) ? StepStatus.Skipped : StepStatus.Passed), $"{report.Unit!.SerialNumber} {s.Name} {s.Step.Status}: {s.Step.Detail}"));
            Assert.Equal(StepStatus.Skipped, steps[^1].Step.Status);
            Assert.All(
                steps.Where(s => NeedsLine.Contains(s.Name)).Append(steps[^1]),
                s => Assert.Contains("needs the line itself, and a hub stands between", s.Step.Detail, StringComparison.Ordinal));
            Assert.InRange(Step("heartbeat").Measured.Single().Value, 0.001, 1500);
            Assert.Contains("a commit with a wrong hash", Step("configuration").Detail, StringComparison.Ordinal);
            Assert.Contains("S05, K02, K03, K04, K05: needs the line itself, and", Step("conformance").Detail, StringComparison.Ordinal);
            Assert.Contains("C02, C03, C04, C05, C06, C07, C08: needs the line itself: a hub sends a configuration whole", Step("conformance").Detail, StringComparison.Ordinal);
            Assert.Contains("P13: a hub does not activate an active number again", Step("conformance").Detail, StringComparison.Ordinal);
            Assert.Equal((9, 13), (Measured("cases passed"), Measured("cases not run")));
            double Measured(string what) => Step("conformance").MoreMeasured.Single(m => m.Name == what).Value;

            StepResult Step(string name) => steps.First(s => s.Name == name).Step;
        });
        var after = await hub.Api.Get("/api/v1/terminals/BENCH-MQTT");
        Assert.Equal("{}", after.GetProperty("desired").GetProperty("document").GetRawText());
    }

    [Fact]
    public async Task Broken_terminals_fail_on_the_case_of_their_fault_as_far_as_a_hub_sees_it()
    {
        (string Fault, string Passes, string Finds)[] broken =
        [
            (nameof(Fault.WrongConfigurationHash), "K01", "C01"), (nameof(Fault.AcknowledgesBeforeStoring), "C01", "C11"),
            (nameof(Fault.SameIdsAfterReboot), "P08", "P12"),
        ];
        var found = await Task.WhenAll(broken.Select(async b => (b.Fault, Results: await Try(Enum.Parse<Fault>(b.Fault), [b.Passes, b.Finds]))));

        Assert.All(found, f => Assert.True(
            f.Results.Select(r => r.Status).SequenceEqual([StepStatus.Passed, StepStatus.Failed]), $"{f.Fault}: {string.Join("; ", f.Results.Select(r => $"{r.Id} {r.Status} {r.Detail}"))}"));
    }

    [Fact]
    public async Task Tool_tests_a_terminal_of_a_hub_with_a_signed_report_that_names_the_hub_and_a_setting_that_is_refused()
    {
        await using var unit = await Emulated("BENCH-TOOL", Fault.None);
        var plan = Path.Combine(folder, "hub.yaml");
        await File.WriteAllTextAsync(plan, "limit-seconds: 80\nsteps:\n  - identity\n  - configuration: { refused: sound.volume=99 }\n  - baud\n  - heartbeat\n");
        using var test = Bench(await NewKey("operate"), "test", "--hub", hub.Url.ToString(), "--terminal", "BENCH-TOOL", "--plan", plan, "--report", folder, "--language", "zh");
        Assert.True(await test.Exits(Limit) == 0, test.Output + test.Errors);
        Assert.Contains("合格  BENCH-TOOL  通过 2，失败 0，未执行 2", test.Output, StringComparison.Ordinal);
        Assert.Contains("平台要求每 30 秒一次心跳，此处最多等待 13 秒", test.Output, StringComparison.Ordinal);
        Assert.Contains("需要直接连接线路，经由平台时无法测试", test.Output, StringComparison.Ordinal);

        var report = Assert.Single(Directory.GetFiles(folder, "BENCH-TOOL-*.json"));
        Assert.Contains($"<dt>经由平台</dt><dd>{hub.Url}</dd>", await File.ReadAllTextAsync(Path.ChangeExtension(report, ".html")), StringComparison.Ordinal);
        Assert.Contains($"<property name=\"hub\" value=\"{hub.Url}\" />", await File.ReadAllTextAsync(Path.ChangeExtension(report, ".xml")), StringComparison.Ordinal);
        using var verify = Bench("", "verify", report);
        Assert.Equal(0, await verify.Exits(Limit));

        using var conformance = Bench(await NewKey("operate"), "conformance", "--hub", hub.Url.ToString(), "--terminal", "BENCH-TOOL", "--case", "S05,C01,P01", "--alone");
        Assert.True(await conformance.Exits(Limit) == 0, conformance.Output + conformance.Errors);
        Assert.Contains("pass  C01", conformance.Output, StringComparison.Ordinal);
        Assert.Contains("not run  S05", conformance.Output, StringComparison.Ordinal);
        Assert.Contains("not run  P01", conformance.Output, StringComparison.Ordinal);

        using var reader = Bench(await NewKey("read"), "conformance", "--hub", hub.Url.ToString(), "--terminal", "BENCH-TOOL", "--case", "L01,C01", "--alone");
        Assert.Equal(0, await reader.Exits(Limit));
        Assert.Contains("not run  C01", reader.Output, StringComparison.Ordinal);
        Assert.Contains("it needs the scope operate", reader.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_hub_key_or_terminal_is_told_in_words_with_its_exit_code()
    {
        await (await Emulated("BENCH-GONE", Fault.None)).DisposeAsync();
        await Eventually.Becomes(() => hub.Api.Get("/api/v1/terminals/BENCH-GONE"), t => !t.GetProperty("connected").GetBoolean(), "the hub knows that it is gone");
        var (key, url, nobody) = (await NewKey("operate"), hub.Url.ToString(), $"http://127.0.0.1:{Ports.Free()}");
        (int Code, string Says, string Key, string[] Arguments)[] wrong =
        [
            (2, "either a PORT or --hub, not both", key, ["/dev/null", "--hub", url, "--terminal", "BENCH-GONE"]),
            (2, "--terminal and --api-key go with --hub", key, ["/dev/null", "--terminal", "BENCH-GONE"]),
            (2, "which terminal?", key, ["--hub", url, "--terminal", "../../audit"]),
            (2, "an API key of the hub is needed", "", ["--hub", url, "--terminal", "BENCH-GONE"]),
            (2, "anybody on the way could read the API key", key, ["--hub", "http://hub.example", "--terminal", "BENCH-GONE"]),
            (2, "an address as in", key, ["--hub", "hub.example", "--terminal", "BENCH-GONE"]),
            (2, "the hub does not know this API key", key + "x", ["--hub", url, "--terminal", "BENCH-GONE"]),
            (2, "the API key may not read terminals", await NewKey("metrics"), ["--hub", url, "--terminal", "BENCH-GONE"]),
            (2, "the hub has no such terminal", key, ["--hub", url, "--terminal", "BENCH-NONE"]),
            (3, "BENCH-GONE: not connected to the hub, which saw it last at", key, ["--hub", url, "--terminal", "BENCH-GONE"]),
            (3, "the hub does not answer", key, ["--hub", nobody, "--terminal", "BENCH-GONE"]),
        ];

        // Processes are dear: every other one is the other command.
        await Task.WhenAll(wrong.Select(async (one, i) =>
        {
            using var bench = Bench(one.Key, [.. i % 2 == 0 ? ["test", "--plan", "line"] : (string[])["conformance"], .. one.Arguments]);
            var code = await bench.Exits(Limit);
            Assert.True(code == one.Code && bench.Errors.Contains(one.Says, StringComparison.Ordinal), $"{one.Says}: {code}: {bench.Errors}{bench.Output}");
            Assert.DoesNotContain("   at ", bench.Errors, StringComparison.Ordinal);
        }));
    }

    private async Task<BenchReport> Tested(string serialNumber, Plan plan, Func<string, KitTerminal> start)
    {
        var flash = hub.NewFlash();
        using var hands = new KitHands(() => start(flash));
        await hands.Terminal.Says("show ACTIVATION");
        await hands.Terminal.Types("activate " + await hub.NewActivationCode());
        await Connected(serialNumber);
        var texts = ToolTexts.In("en");
        return await new HubTarget(hub.Url, await NewKey("operate"), serialNumber).Reach(
            (reach, stop) => new PlanRun(plan, reach, "", texts).Run(hands, new SaysYes(), (_, _) => { }, _ => { }, stop), texts, TestContext.Current.CancellationToken);
    }

    private async Task<IReadOnlyList<StepResult>> Try(Fault fault, string[] cases)
    {
        var serialNumber = $"BENCH-{fault}";
        await using var unit = await Emulated(serialNumber, fault);
        using var api = new HubApi(hub.Url, await NewKey("operate"));
        var stop = TestContext.Current.CancellationToken;
        var rig = new HubRig(api, await HubTerminal.Find(api, serialNumber, stop), unit.Hands, ToolTexts.In("en"), stop) { ForScan = TimeSpan.FromSeconds(8) };
        return await ConformanceRun.Run(cases.Select(id => ConformanceRun.Cases.Single(c => c.Id == id)), rig, _ => { }, _ => { });
    }

    private async Task<EmulatedOnMqtt> Emulated(string serialNumber, Fault fault)
    {
        var unit = new EmulatedOnMqtt(serialNumber, await hub.NewActivationCode(), fault, hub.MqttPort);
        await Connected(serialNumber);
        return unit;
    }

    private Task<JsonElement> Connected(string serialNumber) => Eventually.Becomes(
        () => hub.Api.Get("/api/v1/terminals/" + serialNumber),
        t => t.GetProperty("connected").GetBoolean() && t.GetProperty("heartbeat").ValueKind == JsonValueKind.Object,
        $"{serialNumber} has logged in");

    private async Task<string> NewKey(string scope) => (await hub.Api.Post("/api/v1/api-keys", new { name = "bench", scopes = new[] { scope } })).GetProperty("key").GetString()!;

    private ToolProcess Bench(string key, params string[] arguments)
    {
        var start = new System.Diagnostics.ProcessStartInfo("dotnet") { RedirectStandardInput = true };
        start.Environment["DEVICEHUB_BENCH_HOME"] = Path.Combine(folder, "home");
        start.Environment[HubTarget.KeyVariable] = key;
        start.Environment["LANG"] = "C.UTF-8";
        return new ToolProcess(start, [Path.Combine(AppContext.BaseDirectory, "devicehub-bench.dll"), .. arguments]);
    }

    private sealed class SaysYes : IOperator
    {
        public bool IsThere => true;

        public Task<bool> Ask(string question, CancellationToken cancellation) => Task.FromResult(true);
    }
}
