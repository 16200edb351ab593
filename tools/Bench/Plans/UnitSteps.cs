using System.Globalization;
using System.Text.RegularExpressions;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Link;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>What a unit tells of itself, and what people and fixtures do to it.</summary>
internal static class UnitSteps
{
    private static readonly TimeSpan PatternLimit = TimeSpan.FromSeconds(1);

    public static async Task Identity(StepContext on)
    {
        var unit = await on.Rig.Identify();
        Fits(on, "model", unit.Model);
        Fits(on, "firmware", unit.Firmware);
        Fits(on, "hardware-id", unit.HardwareId);
        Fits(on, "serial-number", unit.SerialNumber);
    }

    public static Task KeyProof(StepContext on) => on.Rig.ProveKey(Ms(35_000));

    public static async Task Heartbeat(StepContext on)
    {
        var count = (int)on.Step.Number("count");
        var (interval, last) = await on.Rig.Beats(on.Step.Number("interval-s"), on.LimitS / 2 / (count + 1));
        var (within, worst) = (TimeSpan.FromSeconds(interval * 1.5), 0.0);
        for (var i = 0; i < count; i++)
        {
            var beat = await on.Rig.NextBeat(within) ?? throw new CaseFailedException($"no heartbeat within {within.TotalMilliseconds:0} ms");
            worst = Math.Max(worst, Math.Abs((beat.At - last).TotalMilliseconds - (interval * 1000)));
            last = beat.At;
        }

        on.Rig.Measure("jitter of the heartbeat", worst, "ms", atMost: on.Step.Number("jitter-ms"));
    }

    public static async Task Signal(StepContext on)
    {
        var beat = await on.Rig.Heartbeat();
        Assert(beat.SignalDbm != 0, "the heartbeat tells no signal");
        on.Rig.Measure("signal", beat.SignalDbm, "dBm", on.Step.Number("at-least-dbm"));
    }

    public static async Task Sim(StepContext on)
    {
        var modem = (await on.Rig.Heartbeat()).Modem;
        if (modem is null && on.Rig.Hub is not null)
        {
            throw new CaseBlockedException("the last heartbeat that the hub heard tells no SIM: only the first of a session does");
        }

        var iccid = modem?.Iccid ?? "";
        Assert(Regex.IsMatch(iccid, on.Step.Text("iccid"), RegexOptions.None, PatternLimit), $"ICCID '{iccid}' does not fit {on.Step.Text("iccid")}");
    }

    public static async Task Battery(StepContext on)
    {
        var beat = await on.Rig.Heartbeat();
        Assert(beat.Power != PowerSource.Unspecified, "the heartbeat tells no power source");
        if (beat.Power == PowerSource.Mains)
        {
            throw new CaseBlockedException("it runs on mains: there is no battery to judge");
        }

        on.Rig.Measure("battery", beat.BatteryPercent, "%", on.Step.Number("at-least-percent"));
    }

    /// <summary>One that is applied, and what is not: the plan's own settings that it must refuse and, where the bench is the hub, one with a wrong hash.</summary>
    public static async Task Configuration(StepContext on)
    {
        var within = Ms(on.Step.Number("apply-ms"));
        await on.Rig.Ready();
        var from = Now;
        var (_, applied) = await ConfigurationCases.Apply(on.Rig);
        on.Rig.Measure("push to APPLIED", (Now - from).TotalMilliseconds, "ms", atMost: within.TotalMilliseconds);
        foreach (var setting in on.Step.List("refused"))
        {
            var (version, _, report) = await on.Rig.Push([Setting(setting)!], within);
            ConfigurationCases.Is(report, ConfigurationReport.Types.Result.Refused, applied, version);
        }

        if (on.Rig is LineRig line)
        {
            await line.Told(ConfigurationCases.BadCommit());
            var report = (await line.ExpectSaid(Up.ConfigurationReport, within)).ConfigurationReport;
            Assert(report.Result == ConfigurationReport.Types.Result.HashMismatch, $"a wrong configuration was reported as {report.Result}");
        }
        else
        {
            on.Rig.LeaveOut("left out: a commit with a wrong hash, which no hub sends");
        }
    }

    /// <summary><c>KEY=VALUE</c>: a number, true, false, or a text. Null: it is none.</summary>
    public static ConfigurationEntry? Setting(string text) => text.Split('=', 2) switch
    {
        [{ Length: > 0 } key, "true" or "false"] => new() { Key = key, Flag = text.EndsWith("=true", StringComparison.Ordinal) },
        [{ Length: > 0 } key, var value] when long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => new() { Key = key, Number = number },
        [{ Length: > 0 } key, var value] => new() { Key = key, Text = value },
        _ => null,
    };

    public static async Task PowerCut(StepContext on)
    {
        var within = on.Step.Number("back-s");
        var back = await ConfigurationCases.SurvivesPowerCut(on.Rig, TimeSpan.FromSeconds(within));
        on.Rig.Measure("back after", back.TotalSeconds, "s", atMost: within);
    }

    public static Task Prompt(StepContext on) => Ask(on);

    /// <summary>The plan's own question, if it has one.</summary>
    public static async Task Ask(StepContext on)
    {
        var question = on.Texts.Language.Name == "zh-Hans" && on.Step.Text("ask-zh").Length > 0 ? on.Step.Text("ask-zh") : on.Step.Text("ask");
        if (question.Length > 0)
        {
            await Ask(on, question);
        }
    }

    public static async Task Ask(StepContext on, string question)
    {
        if (!on.Operator.IsThere)
        {
            throw new CaseBlockedException(on.Texts.Format("NobodyThere", question));
        }

        Assert(await on.Operator.Ask(question, on.Rig.Cancellation), on.Texts.Format("SaidNo", question));
    }

    /// <summary>A meter, a relay: what it prints last is the value.</summary>
    public static async Task Command(StepContext on)
    {
        var (code, line) = await CommandJig.Run(
            on.Step.Text("run"), new() { ["BENCH_SERIAL"] = on.Rig.SerialNumber }, on.Rig.Cancellation);
        Assert(code == 0, $"the command ended with {code}: {line}");
        var (least, most) = (on.Step.Number("at-least"), on.Step.Number("at-most"));
        if (least > double.MinValue || most < double.MaxValue)
        {
            Assert(double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out var value), $"the command printed no number: {line}");
            on.Rig.Measure("value", value, on.Step.Text("unit"), least > double.MinValue ? least : null, most < double.MaxValue ? most : null);
        }
    }

    private static void Fits(StepContext on, string field, string value) =>
        Assert(on.Step.Text(field).Length == 0 || Regex.IsMatch(value, on.Step.Text(field), RegexOptions.None, PatternLimit), $"{field} '{value}' does not fit {on.Step.Text(field)}");
}
