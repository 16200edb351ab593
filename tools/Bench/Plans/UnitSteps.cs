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
        var hello = (await on.Rig.Linked(new SessionScript())).Said!;
        Assert(hello.Error.Ok, hello.Error.Detail);
        var said = hello.Message!.Hello;
        Fits(on, "model", said.Model);
        Fits(on, "firmware", said.Firmware);
        Fits(on, "hardware-id", said.HardwareId);
        Fits(on, "serial-number", on.Rig.Link.Hello!.SerialNumber);
    }

    public static async Task KeyProof(StepContext on)
    {
        await on.Rig.Linked(new SessionScript());
        await on.Rig.Expect(h => h.Has(Up.Proof), Ms(35_000), "proof");
        if (on.Rig.Session.ProofIsGood is not { } good)
        {
            throw new CaseBlockedException("the bench has no key of this unit (--key)");
        }

        Assert(good, "the proof does not fit the key that the bench has");
    }

    public static async Task Heartbeat(StepContext on)
    {
        var (count, interval) = ((int)on.Step.Number("count"), on.Step.Number("interval-s"));
        await on.Rig.LoggedIn(new SessionScript { HeartbeatSeconds = (uint)interval });
        var (last, worst) = (Now, 0.0);
        for (var i = 0; i < count; i++)
        {
            var heard = await on.Rig.Expect(h => h.Has(Up.Heartbeat), TimeSpan.FromSeconds(interval * 1.5), $"heartbeat {i + 1}");
            Assert(heard.Said!.Error.Ok, heard.Said.Error.Detail);
            worst = Math.Max(worst, Math.Abs((heard.At - last).TotalMilliseconds - (interval * 1000)));
            last = heard.At;
        }

        on.Rig.Measure("jitter of the heartbeat", worst, "ms", atMost: on.Step.Number("jitter-ms"));
    }

    public static async Task Signal(StepContext on)
    {
        var beat = await FirstHeartbeat(on.Rig);
        Assert(beat.SignalDbm != 0, "the heartbeat tells no signal");
        on.Rig.Measure("signal", beat.SignalDbm, "dBm", on.Step.Number("at-least-dbm"));
    }

    public static async Task Sim(StepContext on)
    {
        var iccid = (await FirstHeartbeat(on.Rig)).Modem?.Iccid ?? "";
        Assert(Regex.IsMatch(iccid, on.Step.Text("iccid"), RegexOptions.None, PatternLimit), $"ICCID '{iccid}' does not fit {on.Step.Text("iccid")}");
    }

    public static async Task Battery(StepContext on)
    {
        var beat = await FirstHeartbeat(on.Rig);
        Assert(beat.Power != PowerSource.Unspecified, "the heartbeat tells no power source");
        on.Rig.Measure("battery", beat.BatteryPercent, "%", on.Step.Number("at-least-percent"));
    }

    public static async Task Configuration(StepContext on)
    {
        await on.Rig.LoggedIn();
        var from = Now;
        await ConfigurationCases.Apply(on.Rig);
        on.Rig.Measure("push to APPLIED", (Now - from).TotalMilliseconds, "ms", atMost: on.Step.Number("apply-ms"));
        await on.Rig.Told(ConfigurationCases.BadCommit());
        var report = (await on.Rig.ExpectSaid(Up.ConfigurationReport, Ms(on.Step.Number("apply-ms")))).ConfigurationReport;
        Assert(report.Result == ConfigurationReport.Types.Result.HashMismatch, $"a wrong configuration was reported as {report.Result}");
    }

    public static async Task PowerCut(StepContext on)
    {
        on.Rig.Need(JigAction.PowerCut);
        await on.Rig.LoggedIn();
        var applied = await ConfigurationCases.Apply(on.Rig, volume: 6);
        var from = Now;
        await PaymentCases.PowerCut(on.Rig);
        var beat = (await on.Rig.ExpectSaid(Up.Heartbeat, TimeSpan.FromSeconds(on.Step.Number("back-s")))).Heartbeat;
        on.Rig.Measure("back after", (Now - from).TotalSeconds, "s", atMost: on.Step.Number("back-s"));
        Assert(beat.ConfigurationVersion == applied.Version, $"configuration {beat.ConfigurationVersion} instead of {applied.Version} after the power cut");
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
            on.Step.Text("run"), new() { ["BENCH_SERIAL"] = on.Rig.Link.Hello?.SerialNumber ?? "" }, on.Rig.Cancellation);
        Assert(code == 0, $"the command ended with {code}: {line}");
        var (least, most) = (on.Step.Number("at-least"), on.Step.Number("at-most"));
        if (least > double.MinValue || most < double.MaxValue)
        {
            Assert(double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out var value), $"the command printed no number: {line}");
            on.Rig.Measure("value", value, on.Step.Text("unit"), least > double.MinValue ? least : null, most < double.MaxValue ? most : null);
        }
    }

    private static async Task<Heartbeat> FirstHeartbeat(Rig rig)
    {
        await rig.Linked(new SessionScript());
        return (await rig.ExpectSaid(Up.Heartbeat, Ms(40_000))).Heartbeat;
    }

    private static void Fits(StepContext on, string field, string value) =>
        Assert(on.Step.Text(field).Length == 0 || Regex.IsMatch(value, on.Step.Text(field), RegexOptions.None, PatternLimit), $"{field} '{value}' does not fit {on.Step.Text(field)}");
}
