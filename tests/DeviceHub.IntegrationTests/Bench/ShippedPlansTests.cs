using DeviceHub.Tools.Bench.Plans;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The shipped plans with a person, against the C kit's terminal on a line.</summary>
public sealed class ShippedPlansTests : KitPlans
{
    [Fact]
    public async Task Terminal_of_the_C_kit_passes_the_plan_for_incoming_goods()
    {
        var found = await Run(Shipped("incoming", ("count: 2, interval-s", "count: 1, interval-s"), ("p99-ms: 200", "p99-ms: 2000")));

        Assert.All(found.Steps, AssertPassedUnlessOfABattery);
        Assert.Equal((Verdict.Pass, 17), (found.Verdict, found.Steps.Count(s => s.Status == StepStatus.Passed)));
        var jitter = found.Steps.SelectMany(s => s.Measured).Single(m => m.Name == "jitter of the heartbeat");
        Assert.InRange(jitter.Value, 0.001, 1500);
    }

    [Fact]
    public async Task Terminal_of_the_C_kit_passes_the_plan_for_a_type_test()
    {
        // What takes hours or minutes is cut short; the conformance cases have a test of their own. The limits are for a machine that does nothing else.
        var found = await Run(Shipped(
            "type", ("count: 10, interval-s", "count: 1, interval-s"), ("count: 1000", "count: 60"), ("count: 200", "count: 20"), ("count: 60", "count: 12"),
            ("times: 5", "times: 1"), ("[S, L, M, C, P, K]", "[S0, M01]"), ("hours: 8, every-ms: 500", "hours: 0.001, every-ms: 50"),
            ("p99-ms: 200", "p99-ms: 2000"), ("p99-ms: 300", "p99-ms: 3000"), ("request-ms: 500", "request-ms: 2000"), ("shown-ms: 500", "shown-ms: 3000")));

        Assert.All(found.Steps, AssertPassedUnlessOfABattery);
        Assert.Equal(Verdict.Pass, found.Verdict);
        var soak = found.Steps[^1].Measured;
        // 3.6 s, one each 50 ms: the first and the last are both within. One that takes longer lets the next wait.
        Assert.InRange(soak.Single(m => m.Name == "round trips").Value, 10, 73);
        Assert.Equal(0, soak.Single(m => m.Name == "times the link was lost").Value);
    }

    private static void AssertPassedUnlessOfABattery(StepResult step) =>
        Assert.True(step.Status == (step.Title == "Battery" ? StepStatus.Skipped : StepStatus.Passed), $"{step.Id} {step.Title} {step.Status}: {step.Detail}");

    private static async Task<BenchReport> Run(Plan plan)
    {
        using var unit = await CKitUnit.Make();
        return await unit.Run(plan);
    }

    /// <summary>A plan as it is shipped, but for what takes long.</summary>
    private Plan Shipped(string name, params (string Long, string Short)[] changes)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Plans", name + ".yaml"));
        foreach (var (was, becomes) in changes)
        {
            Assert.Contains(was, text, StringComparison.Ordinal);
            text = text.Replace(was, becomes, StringComparison.Ordinal);
        }

        return Read(name, text);
    }
}
