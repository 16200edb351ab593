using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Emulation;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The bench's conformance cases against a terminal that follows the specification, and against those that break it in one way.</summary>
public sealed class ConformanceTests
{
    /// <summary>Lines that are tried at once; they mostly wait.</summary>
    private const int AtOnce = 8;

    /// <summary>The fault, the case that must find it, and cases that must pass all the same.</summary>
    private static readonly (Fault Fault, string Finds, string[] Passes)[] Broken =
    [
        (Fault.WrongCrc, "S01", []),
        (Fault.NoAcknowledgement, "S25", ["S24", "L01"]),
        (Fault.AnswersLate, "S26", ["S25", "L01"]),
        (Fault.NeverRetransmits, "S33", ["S25", "M01"]),
        (Fault.StallsMidFrame, "S04", ["S01", "S24"]),
        (Fault.SameBootId, "S23", ["S24"]),
        (Fault.Floods, "L13", ["L01", "S25"]),
        (Fault.RepeatsProof, "L05", ["L01", "M01"]),
        (Fault.WrongProof, "L04", ["L01", "S25"]),
        (Fault.AcknowledgesBeforeStoring, "C11", ["C01", "C10"]),
        (Fault.WrongConfigurationHash, "C01", ["C03", "M01"]),
        (Fault.AnnouncesWrongMac, "M03", ["M01", "M02"]),
        (Fault.AnnouncesUnsealed, "M02", ["M01", "M03"]),
        (Fault.AcceptsOldKey, "M05", ["M01", "M03"]),
        (Fault.IgnoresExpiry, "K04", ["K01", "P04"]),
        (Fault.SameIdsAfterReboot, "P12", ["P08", "P01"]),
        (Fault.SameIdsAfterFactoryReset, "P13", ["P12", "P01"]),
        (Fault.ForgetsPayments, "P09", ["P01", "P08"]),
    ];

    [Fact]
    public async Task Terminal_that_follows_the_specification_passes_every_case()
    {
        // The slow ones wait half a minute each, so each has a line of its own; the others share some lines.
        var shares = ConformanceRun.Cases.Where(c => !c.IsSlow).Select((c, i) => (c.Id, Share: i % AtOnce)).GroupBy(c => c.Share, c => c.Id)
            .Concat(ConformanceRun.Cases.Where(c => c.IsSlow).GroupBy(_ => Random.Shared.Next(), c => c.Id));
        var found = await Task.WhenAll(shares.Select(share => Try(Fault.None, share)));

        var results = found.SelectMany(r => r).ToList();
        Assert.Equal(ConformanceRun.Cases.Count, results.Count);
        Assert.All(results, result => Assert.True(result.Status == StepStatus.Passed, Told(result)));
    }

    [Fact]
    public async Task Every_broken_terminal_fails_on_the_case_of_its_fault_and_on_no_other()
    {
        using var slots = new SemaphoreSlim(AtOnce);
        var faults = await Task.WhenAll(Broken.Select(async broken =>
        {
            await slots.WaitAsync();
            try
            {
                return (broken, Results: await Try(broken.Fault, [.. broken.Passes, broken.Finds]));
            }
            finally
            {
                slots.Release();
            }
        }));

        Assert.Equal(Enum.GetValues<Fault>().Where(f => f != Fault.None).Order(), Broken.Select(b => b.Fault).Order());
        Assert.All(faults, tried => Assert.True(
            tried.Results.Count == tried.broken.Passes.Length + 1
                && tried.Results.All(r => r.Status == (r.Id == tried.broken.Finds ? StepStatus.Failed : StepStatus.Passed)),
            $"{tried.broken.Fault}: {string.Join("; ", tried.Results.Select(Told))}"));
    }

    [Fact]
    public void Cases_have_ids_of_their_own_and_sections_that_the_specification_has()
    {
        Assert.Equal(ConformanceRun.Cases.Count, ConformanceRun.Cases.Select(c => c.Id).Distinct().Count());
        var anchors = new[] { "serial.md", "README.md" }.SelectMany(file => File
            .ReadLines(Path.Combine(DeviceHub.Tests.Repository.Root, "firmware-protocol", file))
            .Where(line => line.StartsWith('#'))
            .Select(line => $"{file}#{line.TrimStart('#').Trim().ToLowerInvariant().Replace(' ', '-')}")).ToHashSet();
        Assert.All(ConformanceRun.Cases, c => Assert.Contains(c.Section, anchors));
    }

    private static async Task<IReadOnlyList<StepResult>> Try(Fault fault, IEnumerable<string> cases)
    {
        using var unit = await EmulatedUnit.Make(fault);
        return await unit.Try(cases);
    }

    private static string Told(StepResult result) => $"{result.Id} {result.Status}: {result.Detail}";
}
