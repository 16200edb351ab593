using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Tools.Bench;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Emulation;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>An emulated terminal at one end of a line, the bench at the other, and a jig that acts upon the terminal directly.</summary>
internal sealed class EmulatedUnit : IDisposable
{
    /// <summary>What the terminal may take to answer: room for a machine that does other things too.</summary>
    private const int StallMs = 1000;

    private readonly PtyPair pair;
    private readonly SerialTerminal terminal;
    private readonly BenchLink link;
    private readonly string folder;

    private EmulatedUnit(string folder, PtyPair pair, Fault fault)
    {
        (this.folder, this.pair) = (folder, pair);
        const string name = "EMULATED-1";
        terminal = new SerialTerminal(
            SerialLine.Open(pair.TerminalEnd, 115_200, isTerminal: true),
            new EmulatedTerminal(new TerminalIdentity(name, "board-1", "ABCD-EFGH-JKMN-PQRS"), null, fault, _ => { }),
            name, fault, StallMs, [921_600], jitterMs: 0);
        link = new BenchLink(SerialLine.Open(pair.HubEnd, 115_200), 115_200);
        Rig = new LineRig(link, new BenchSession(link, new TerminalKeys(new BenchHome(folder), null)), new EmulatedHands(terminal.Do, terminal.PowerCut), DeviceHub.Tools.Bench.Texts.In("en"), TestContext.Current.CancellationToken);
    }

    public LineRig Rig { get; }

    public static async Task<EmulatedUnit> Make(Fault fault = Fault.None)
    {
        var folder = Directory.CreateTempSubdirectory("bench-").FullName;
        var pair = new PtyPair(folder, "line");
        await pair.Plug();
        return new EmulatedUnit(folder, pair, fault);
    }

    public Task<IReadOnlyList<StepResult>> Try(IEnumerable<string> cases) =>
        ConformanceRun.Run(cases.Select(id => ConformanceRun.Cases.Single(c => c.Id == id)), Rig, _ => { }, _ => { });

    public void Dispose()
    {
        link.Dispose();
        terminal.Dispose();
        pair.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
