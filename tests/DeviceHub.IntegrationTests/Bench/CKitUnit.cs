using DeviceHub.IntegrationTests.Firmware;
using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Tests;
using DeviceHub.Tools.Bench;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Plans;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The C kit's terminal at one end of a line, killed for a power cut, with its cashier's keys in the bench's hands.</summary>
internal sealed class CKitUnit : IDisposable
{
    private readonly string folder;
    private readonly PtyPair pair;

    private CKitUnit(string folder, PtyPair pair)
    {
        (this.folder, this.pair) = (folder, pair);
        Hands = new KitHands(Start);
        Link = new BenchLink(SerialLine.Open(pair.HubEnd, 115_200), 115_200);
        Session = new BenchSession(Link, new TerminalKeys(new BenchHome(folder), null));
        Rig = new LineRig(Link, Session, Hands, DeviceHub.Tools.Bench.Texts.In("en"), TestContext.Current.CancellationToken);
    }

    public BenchLink Link { get; }

    public BenchSession Session { get; }

    public LineRig Rig { get; }

    public KitHands Hands { get; }

    public KitTerminal Terminal => Hands.Terminal;

    /// <summary>The kit's program is built already.</summary>
    public static async Task<CKitUnit> Make()
    {
        var folder = Directory.CreateTempSubdirectory("ckit-").FullName;
        var pair = new PtyPair(folder, "line");
        await pair.Plug();
        var unit = new CKitUnit(folder, pair);
        await unit.Terminal.Types("activate ABCDEFGHJKMNPQRS");
        return unit;
    }

    /// <summary>A plan, with a person who reads its screen.</summary>
    public async Task<BenchReport> Run(Plan plan, string language = "en", IOperator? people = null)
    {
        await Eventually.Holds(() => Link.IsUp, "the unit links");
        var texts = DeviceHub.Tools.Bench.Texts.In(language);
        return await new PlanRun(plan, (hands, stopped) => new LineRig(Link, Session, hands, texts, stopped), Link.Path, texts).Run(Hands, people ?? new ScreenReader(this, texts), (_, _) => { }, _ => { }, TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        Link.Dispose();
        Hands.Dispose();
        pair.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private KitTerminal Start() => new(
        "dhp_serial_line", "--port", pair.TerminalEnd, "--serial", "CKIT-0001", "--flash", Path.Combine(folder, "flash"), "--stall", "1000", "--signal", "-71", "--iccid", "89860012345678901234");
}
