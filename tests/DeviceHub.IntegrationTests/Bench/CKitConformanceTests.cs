using DeviceHub.IntegrationTests.Firmware;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The C kit's terminal for a serial line, which shares no code with the bench, under the bench's cases.</summary>
public sealed class CKitConformanceTests
{
    /// <summary>
    /// Not the slow ones, nor the factory reset, for which it has no key. They are shared among lines, so that waiting is done side by side.
    /// </summary>
    private const int Lines = 8;

    [Fact]
    public async Task Terminal_of_the_C_kit_passes_every_case()
    {
        await KitTerminal.Build();
        var shares = ConformanceRun.Cases.Where(c => !c.IsSlow && c.Id != "P13").Select((c, i) => (Case: c, Share: i % Lines)).GroupBy(c => c.Share, c => c.Case);

        var found = await Task.WhenAll(shares.Select(async share =>
        {
            using var unit = await CKitUnit.Make();
            return await ConformanceRun.Run(share, unit.Rig, _ => { }, _ => { });
        }));

        Assert.All(found.SelectMany(r => r), r => Assert.True(
            r.Status == StepStatus.Passed || (r.Status == StepStatus.Skipped && r.Detail == "HELLO names no faster rate"), $"{r.Id} {r.Status}: {r.Detail}"));
    }
}
