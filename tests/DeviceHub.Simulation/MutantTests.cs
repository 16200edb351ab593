namespace DeviceHub.Simulation;

/// <summary>That the simulation can fail: each deliberate bug is found by it.</summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    /// <summary>Enough for the rarest of them several times over; most need fewer than 100.</summary>
    private const int Seeds = 20_000;

    public static TheoryData<string> Names => [.. Mutants.All.Select(m => m.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Deliberate_bug_is_found(string name)
    {
        var mutant = Mutants.All.Single(m => m.Name == name);

        var end = SimulationRun.Run(from: 1, Seeds, mutant.Seams);

        Assert.True(end.Failed is not null, $"{mutant.Says} None of {Seeds} seeds found it.");
        output.WriteLine($"{mutant.Says} Found after {end.Failed.Seed} seeds: {end.Failed.Fault}");
        Assert.Contains("BROKEN: ", end.Failed.Story, StringComparison.Ordinal);
    }
}
