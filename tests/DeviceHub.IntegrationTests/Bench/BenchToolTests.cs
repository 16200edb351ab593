using System.Globalization;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.IntegrationTests.Firmware;
using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The built tool as processes, as people use it: one is the terminal, the other the bench.</summary>
[Collection(BadInputHub.Collection)]
public sealed class BenchToolTests(BadInputHub hub) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("bench-tool-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Units_on_eight_ports_pass_the_plan_of_a_production_line_at_once_and_their_reports_are_verified_until_a_byte_is_changed()
    {
        await KitTerminal.Build();
        var pairs = await Task.WhenAll(Enumerable.Range(1, 8).Select(i => Plugged($"line-{i}")));
        KitTerminal[] units = [.. pairs.Select((pair, i) => new KitTerminal(
            "dhp_serial_line", "--port", pair.TerminalEnd, "--serial", $"UNIT-{i + 1}", "--flash", Path.Combine(folder, $"{i}.flash"), "--signal", "-71"))];
        try
        {
            await Task.WhenAll(units.Select(unit => unit.Types("activate ABCDEFGHJKMNPQRS")));
            using var test = Bench(["test", .. pairs.Select(p => p.HubEnd), "--plan", "line", "--report", folder, "--language", "zh"]);
            Assert.True(await test.Exits(Limit) == 0, test.Output + test.Errors);
            Assert.All(Enumerable.Range(1, 8), i => Assert.Contains($"合格  UNIT-{i}  通过 6，失败 0，未执行 0", test.Output, StringComparison.Ordinal));
        }
        finally
        {
            Array.ForEach(units, unit => unit.Dispose());
            Array.ForEach(pairs, pair => pair.Dispose());
        }

        var report = Assert.Single(Directory.GetFiles(folder, "UNIT-1-*.json"));
        Assert.Contains("合格", await File.ReadAllTextAsync(Path.ChangeExtension(report, ".html")), StringComparison.Ordinal);
        using var good = Bench("verify", report);
        Assert.Equal(0, await good.Exits(Limit));

        await File.WriteAllTextAsync(report, (await File.ReadAllTextAsync(report)).Replace("UNIT-1", "UNIT-9", StringComparison.Ordinal));
        using var changed = Bench("verify", report);
        Assert.Equal(1, await changed.Exits(Limit));
        Assert.Contains("CHANGED", changed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_unit_fails_its_conformance_with_exit_code_1_and_says_where_the_specification_says_so()
    {
        using var pair = await Plugged();
        using var unit = Emulate(pair, "UNIT-1", "--fault", "WrongConfigurationHash");
        using var bench = Bench("conformance", pair.HubEnd, "--case", "S25,C01,P01", "--alone");

        Assert.Equal(1, await bench.Exits(Limit));
        Assert.Contains("FAIL  C01", bench.Output, StringComparison.Ordinal);
        Assert.Contains("(README.md#configuration)", bench.Output, StringComparison.Ordinal);
        Assert.Contains("pass  S25", bench.Output, StringComparison.Ordinal);
        Assert.Contains("not run  P01", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_broken_unit_fails_of_and_what_is_wrong_with_a_port_is_told_in_Chinese_too()
    {
        using var pair = await Plugged();
        using var unit = Emulate(pair, "UNIT-1", "--fault", "WrongConfigurationHash");
        var plan = Path.Combine(folder, "two.yaml");
        await File.WriteAllTextAsync(plan, "steps:\n  - configuration\n  - conformance: { cases: [C01] }\n");
        using var test = Bench("test", pair.HubEnd, "--plan", plan, "--report", folder, "--language", "zh");
        Assert.Equal(1, await test.Exits(Limit));
        Assert.Contains("失败  1  配置下发: 上报的哈希与当前配置不符", test.Output, StringComparison.Ordinal);
        Assert.Contains("失败  2  协议一致性: C01 哈希相符的配置被应用，并连同哈希上报: 上报的哈希与当前配置不符", test.Output, StringComparison.Ordinal);
        Assert.Contains("上报的哈希与当前配置不符", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(folder, "UNIT-1-*.html"))), StringComparison.Ordinal);

        using var gone = Bench("test", "/dev/ttyUSB99", "--plan", plan, "--language", "zh");
        Assert.Equal(3, await gone.Exits(Limit));
        Assert.Contains("/dev/ttyUSB99：不存在；是否已接入？", gone.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unit_that_is_unplugged_during_its_test_ends_it_and_is_no_pass()
    {
        var pair = await Plugged();
        using var unit = Emulate(pair, "UNIT-1");
        var plan = Path.Combine(folder, "soak.yaml");
        await File.WriteAllTextAsync(plan, "steps:\n  - identity\n  - soak: { hours: 1, every-ms: 20 }\n  - configuration\n");
        using var test = Bench("test", pair.HubEnd, "--plan", plan, "--report", folder);
        await Eventually.Holds(() => test.Output.Contains("pass  1", StringComparison.Ordinal), "the first step passed");
        pair.Dispose();

        Assert.Equal(3, await test.Exits(Limit));
        Assert.Contains("INCOMPLETE  UNIT-1", test.Output, StringComparison.Ordinal);
        Assert.Contains("lost during the test: the port is not there any more: it was unplugged, or taken away", test.Errors, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(folder, "UNIT-1-*.json"));
    }

    [Fact]
    public async Task Monitor_shows_and_records_a_login_and_replay_shows_it_again()
    {
        using var pair = await Plugged();
        using var unit = Emulate(pair, "UNIT-1");
        var recording = Path.Combine(folder, "login.pcapng");
        using var monitor = Bench("monitor", pair.HubEnd, "--as-hub", "--record", recording);
        await Eventually.Holds(() => monitor.Output.Contains("\"heartbeat\"", StringComparison.Ordinal), "a heartbeat is shown");
        await monitor.Terminate();
        Assert.Equal(0, await monitor.Exits(Limit));

        using var replay = Bench("replay", recording, "--filter", "welcome,heartbeat");
        Assert.Equal(0, await replay.Exits(Limit));
        var lines = replay.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("H>T  DATA", lines[0], StringComparison.Ordinal);
        Assert.All(lines, line => Assert.True(line.Contains("\"welcome\"", StringComparison.Ordinal) || line.Contains("\"heartbeat\"", StringComparison.Ordinal), line));
    }

    [Fact]
    public async Task Emulated_terminal_pays_at_a_hub_over_MQTT_by_a_script()
    {
        var script = Path.Combine(folder, "day.txt");
        await File.WriteAllTextAsync(script, "expect ready\nscan 134567890123456789 12.80\nexpect paid 12.80\n");
        using var terminal = Bench(
            "emulate", "--mqtt", $"127.0.0.1:{hub.MqttPort.ToString(CultureInfo.InvariantCulture)}", "--serial-number", BadInputHub.NewSerial(),
            "--activation-code", await hub.NewActivationCode(), "--script", script);

        Assert.True(await terminal.Exits(Limit) == 0, terminal.Output + terminal.Errors);
        Assert.Contains("[paid 12.80]", terminal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_what_was_given_is_told_in_words_with_its_exit_code()
    {
        var plan = Path.Combine(folder, "bad.yaml");
        await File.WriteAllTextAsync(plan, "steps:\n  - identity\n  - hartbeat\n");
        (int Code, string Says, string[] Arguments)[] wrong =
        [
            (2, $"{plan}:3:5: unknown step 'hartbeat' (heartbeat?)", ["test", "/dev/null", "--plan", plan]),
            (2, "--case Z9: there is none", ["conformance", "/dev/null", "--case", "Z9"]),
            (2, "--key: neither 64 hex digits", ["conformance", "/dev/null", "--key", "xyz"]),
            (2, "'bogus'", ["bogus"]),
            (2, "not a report", ["verify", plan]),
            (2, "the report cannot be written", ["test", "/dev/null", "--plan", "line", "--report", Path.Combine(plan, "reports")]),
            (2, "the report cannot be written", ["conformance", "/dev/null", "--report", Path.Combine(plan, "reports")]),
            (3, $"{plan}: no serial port", ["monitor", plan]),
            (3, "not there; is it plugged in?", ["conformance", "/dev/ttyUSB99"]),
        ];
        await Task.WhenAll(wrong.Select(async one =>
        {
            using var bench = Bench(one.Arguments);
            var code = await bench.Exits(Limit);
            Assert.True(code == one.Code && (bench.Errors + bench.Output).Contains(one.Says, StringComparison.Ordinal), $"{code}: {bench.Errors}{bench.Output}");
            Assert.DoesNotContain("   at ", bench.Errors, StringComparison.Ordinal);
        }));
    }

    private async Task<PtyPair> Plugged(string name = "line")
    {
        var pair = new PtyPair(folder, name);
        await pair.Plug();
        return pair;
    }

    private ToolProcess Emulate(PtyPair pair, string serialNumber, params string[] more) =>
        Bench(["emulate", "--port", pair.TerminalEnd, "--serial-number", serialNumber, "--activation-code", "ANY-CODE", "--stall-ms", "500", "--jitter-ms", "0", .. more]);

    private ToolProcess Bench(params string[] arguments)
    {
        var start = new System.Diagnostics.ProcessStartInfo("dotnet") { RedirectStandardInput = true };
        start.Environment["DEVICEHUB_BENCH_HOME"] = Path.Combine(folder, "home");
        start.Environment["LANG"] = "C.UTF-8";
        return new ToolProcess(start, [Path.Combine(AppContext.BaseDirectory, "devicehub-bench.dll"), .. arguments]);
    }
}
