using DeviceHub.Tests;
using DeviceHub.Tools.Bench.Codes;
using DeviceHub.Tools.Bench.Plans;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>Steps of plans that a unit, or the person in front of it, must not pass.</summary>
public sealed class PlanStepsTests : KitPlans
{
    [Fact]
    public async Task Terminal_that_sleeps_over_its_heartbeat_fails_with_the_jitter_that_was_measured()
    {
        using var unit = await CKitUnit.Make();
        var run = unit.Run(Own("heartbeat: { count: 1, interval-s: 30, jitter-ms: 1500 }"));
        await Eventually.Holds(() => unit.Terminal.Output.Contains("show READY", StringComparison.Ordinal), "it has logged in");
        await Eventually.Passes(TimeSpan.FromSeconds(27));
        unit.Terminal.Freeze();
        await Eventually.Passes(TimeSpan.FromSeconds(6));
        unit.Terminal.Thaw();

        var step = Assert.Single((await run).Steps);
        var jitter = Assert.Single(step.Measured);
        Assert.Equal(StepStatus.Failed, step.Status);
        Assert.InRange(jitter.Value, 1500, 10_000);
    }

    [Fact]
    public async Task Codes_that_are_read_wrong_or_not_at_all_lower_the_decode_rate_of_their_symbology_and_each_that_is_too_low_is_told()
    {
        using var unit = await CKitUnit.Make();
        unit.Hands.Scans = order => (order.Drawn, order.Number) switch
        {
            (Symbology.Qr, 2) => "134567890123456780",
            (Symbology.Qr, 3) or (Symbology.Code128, 1) => null,
            _ => order.Code,
        };
        var found = await unit.Run(Own("decode-rate: { codes: [\"134567890123456789\", \"284567890123456789\", \"624567890123456789\"], at-least-percent: 70, each-s: 3 }"));

        var step = Assert.Single(found.Steps);
        Assert.Equal(StepStatus.Failed, step.Status);
        Assert.Equal([("Code 128: read right, of 3", 66.667), ("QR code: read right, of 3", 33.333)], step.Measured.Select(m => (m.Name, m.Value)));
        Assert.Equal("Code 128: read right, of 3 66.7 % (at least 70); QR code: read right, of 3 33.3 % (at least 70)", step.Detail);
    }

    [Fact]
    public async Task Line_that_is_dead_for_some_seconds_fails_a_soak()
    {
        using var unit = await CKitUnit.Make();
        var run = unit.Run(Own("soak: { hours: 0.003, every-ms: 50 }"));
        // Logins have a few; it logs in more than once before.
        await Eventually.Holds(() => unit.Link.Acknowledgements.Count > 30, "the soak has begun");
        unit.Terminal.Freeze();
        await Eventually.Holds(() => !unit.Link.IsUp, "the link is lost");
        unit.Terminal.Thaw();

        var step = Assert.Single((await run).Steps);
        Assert.Equal(StepStatus.Failed, step.Status);
        Assert.True(step.Measured.Single(m => m.Name == "times the link was lost").Value >= 1, step.Detail);
    }

    [Fact]
    public async Task Steps_that_ask_fail_by_the_operators_no_and_are_not_run_without_one()
    {
        using var unit = await CKitUnit.Make();
        var plan = Own("prompt: { ask: Is it red?, ask-zh: 是红色吗？ }");

        var no = Assert.Single((await unit.Run(plan, "zh", new SaysNo())).Steps);
        Assert.Equal((StepStatus.Failed, "操作员判定不合格：是红色吗？"), (no.Status, no.Detail));
        var nobody = Assert.Single((await unit.Run(plan, "zh", new Nobody())).Steps);
        Assert.Equal((StepStatus.Skipped, "无人应答：是红色吗？"), (nobody.Status, nobody.Detail));
    }

    private Plan Own(string step) => Read($"{Guid.NewGuid():n}", $"steps:\n  - {step}\n");

    private sealed class SaysNo : IOperator
    {
        public bool IsThere => true;

        public Task<bool> Ask(string question, CancellationToken cancellation) => Task.FromResult(false);
    }
}
