using DeviceHub.Tools.Bench;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Plans;

namespace DeviceHub.UnitTests.Bench;

public sealed class PlanReaderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("plan-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("line", 40)]
    [InlineData("incoming", 600)]
    [InlineData("type", 24 * 3600)]
    public void Shipped_plans_are_read_by_their_names(string name, double limitSeconds)
    {
        var plan = PlanReader.Read(name);

        Assert.Equal((name, limitSeconds), (plan.Name, plan.LimitSeconds));
        Assert.Equal("identity", plan.Steps[0].Kind.Name);
    }

    [Fact]
    public void Type_plan_has_every_kind_of_step_but_the_fixtures()
    {
        var kinds = PlanReader.Read("type").Steps.Select(s => s.Kind.Name).ToHashSet();

        Assert.Equal(["command"], StepKinds.All.Select(k => k.Name).Where(k => !kinds.Contains(k)));
    }

    [Theory]
    [InlineData("en")]
    [InlineData("zh")]
    public void Every_kind_of_step_has_a_title(string language) =>
        Assert.All(StepKinds.All, kind => Assert.NotEmpty(DeviceHub.Tools.Bench.Texts.In(language)["Step_" + kind.Name]));

    [Fact]
    public void What_the_plan_does_not_say_is_the_kinds_own()
    {
        var plan = Read("jig: { scan: fixture scan }\nbefore: relay on\nsteps:\n  - signal: { at-least-dbm: -80 }\n  - round-trips\n");

        Assert.Equal(-80, plan.Steps[0].Number("at-least-dbm"));
        Assert.Equal((100, 64), (plan.Steps[1].Number("count"), plan.Steps[1].Number("bytes")));
        Assert.Equal((4, 5), plan.Steps[0].At);
        Assert.Equal("fixture scan", plan.Jig[JigAction.Scan]);
        Assert.Equal("relay on", plan.Before);
    }

    [Theory]
    [InlineData("steps:\n  - identity\n  - hartbeat\n", ":3:5: unknown step 'hartbeat' (heartbeat?)")]
    [InlineData("steps:\n  - dance: { fast: 1 }\n", ":2:5: unknown step 'dance'; there are identity,")]
    [InlineData("steps:\n  - round-trips:\n      count: 0\n", ":3:14: round-trips.count: 0: a number from 1 to 100000")]
    [InlineData("steps:\n  - signal: { at-least-dbm: good }\n", ":2:29: signal.at-least-dbm: good: a number from -150 to -1 dBm")]
    [InlineData("steps:\n  - battery: { at-last-percent: 5 }\n", ":2:16: battery has no 'at-last-percent' (at-least-percent?)")]
    [InlineData("steps:\n  - key-proof: { key: 5 }\n", ":2:18: key-proof has no 'key'; there are none")]
    [InlineData("steps:\n  - payment: { result: maybe }\n", ":2:24: payment.result: one of approved, declined, in-doubt, late")]
    [InlineData("steps:\n  - decode-rate: { symbologies: [ean-13] }\n", ":2:34: decode-rate.symbologies: 'ean-13': one of code-128, qr")]
    [InlineData("steps:\n  - decode-rate: { codes: [13中] }\n", ":2:28: decode-rate.codes: '13中': 1 to 64 printable characters of ASCII")]
    [InlineData("steps:\n  - conformance: { cases: [S25, Z9] }\n", ":2:33: conformance.cases: 'Z9': no case begins so")]
    [InlineData("limit-seconds: 0\nsteps: [ identity ]\n", ":1:16: limit-seconds: 0: a number from 1 to")]
    [InlineData("stepz: [ identity ]\n", ":1:1: a plan has no 'stepz' (steps?)")]
    [InlineData("steps: []\n", ":1:8: steps: 1 to 200")]
    [InlineData("steps: identity\n", ":1:8: steps: a list of steps is wanted")]
    [InlineData("name: x\n", ":1:1: steps: a list of steps is wanted")]
    [InlineData("steps:\n  - [ identity ]\n", ":2:5: a step is a name, or a name with fields")]
    [InlineData("steps: [ identity\n", ":2:1: ")]
    [InlineData("", ":1:1: one document is wanted")]
    public void What_is_wrong_is_told_with_line_and_column(string text, string expected)
    {
        var error = Assert.Throws<BadInputException>(() => Read(text));

        Assert.StartsWith(Path.Combine(folder, "plan.yaml") + expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_that_is_not_there_is_told_by_its_name() =>
        Assert.Contains("nope.yaml", Assert.Throws<BadInputException>(() => PlanReader.Read(Path.Combine(folder, "nope.yaml"))).Message, StringComparison.Ordinal);

    private Plan Read(string text)
    {
        var path = Path.Combine(folder, "plan.yaml");
        File.WriteAllText(path, text);
        return PlanReader.Read(path);
    }
}
