using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Link;
using Google.Protobuf;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Result = DeviceHub.Protocol.Wire.ConfigurationReport.Types.Result;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>README.md, "Configuration".</summary>
internal static class ConfigurationCases
{
    private const string Section = "README.md#configuration";

    private static readonly TimeSpan ToApply = Ms(5000);

    private static readonly Phrase HubSendsWhole =
        (Phrase)"needs the line itself: a hub sends a configuration whole, in order and with its right hash, one that is applied not again, and none that is older";

    /// <summary>Each push needs a larger version than any before it, also than those of an earlier run.</summary>
    private static ulong lastVersion;

    public static IEnumerable<ConformanceCase> All =>
    [
        new("C01", "A configuration whose hash matches is applied, and reported with its hash", Section, Applied),
        new("C02", "A commit whose hash does not match is reported as HASH_MISMATCH, and the old one stays", Section, WrongHash, hub: HubSendsWhole),
        new("C03", "A missing chunk is reported as HASH_MISMATCH", Section, MissingChunk, hub: HubSendsWhole),
        new("C04", "Chunks may come in any order, and again", Section, AnyOrder, hub: HubSendsWhole),
        new("C05", "A commit of what is applied is reported as APPLIED", Section, SameAgain, hub: HubSendsWhole),
        new("C06", "An older version is ignored", Section, Older, hub: HubSendsWhole),
        new("C07", "A chunk of a newer version drops the older chunks", Section, NewerDrops, hub: HubSendsWhole),
        new("C08", "Chunks are dropped when the connection is lost", Section, LostLink, hub: HubSendsWhole),
        new("C09", "A commit with 0 chunks is an empty configuration", Section, Empty),
        new("C10", "The heartbeat tells the version that is applied", "README.md#heartbeat", InHeartbeat),
        new("C11", "What was reported as APPLIED is there after a power cut", Section, rig => SurvivesPowerCut(rig, Hands)),
    ];

    /// <summary>The entries that a unit of any model should take: README.md has them.</summary>
    /// <param name="idle">Another one makes it another configuration: a hub pushes no other.</param>
    public static ConfigurationEntry[] Entries(long volume, string idle = "Bench") =>
    [
        new() { Key = "screen.idle_text", Text = idle },
        new() { Key = "sound.on", Flag = true },
        new() { Key = "sound.volume", Number = volume },
    ];

    /// <summary>A commit that every terminal answers with a report.</summary>
    public static Downlink BadCommit() => Commit(NextVersion(), 1, new byte[32]);

    public static ulong NextVersion() =>
        lastVersion = Math.Max(lastVersion + 1, (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    public static Downlink Chunk(ulong version, uint index, params ConfigurationEntry[] entries) =>
        new() { ConfigurationChunk = new ConfigurationChunk { Version = version, Index = index, Entries = { entries } } };

    public static Downlink Commit(ulong version, uint chunks, byte[] hash) =>
        new() { ConfigurationCommit = new ConfigurationCommit { Version = version, Chunks = chunks, Hash = ByteString.CopyFrom(hash) } };

    private static async Task<ConfigurationReport> Report(LineRig rig) =>
        (await rig.ExpectSaid(Up.ConfigurationReport, ToApply, "configuration_report")).ConfigurationReport;

    public static void Is(ConfigurationReport report, Result result, byte[]? hash, ulong? version = null)
    {
        if (result == Result.Applied && report.Result == Result.Refused)
        {
            throw new CaseBlockedException($"the unit refused the bench's entries: {report.Detail}");
        }

        Assert(report.Result == result, $"reported as {report.Result} instead of {result}");
        Assert(hash is null || report.Hash.Span.SequenceEqual(hash), "the reported hash is not that of what is applied now");
        Assert(version is null || report.Version == version, $"the report is of version {report.Version} instead of {version}");
    }

    /// <summary>Has a new configuration applied; its version and hash.</summary>
    public static async Task<(ulong Version, byte[] Hash)> Apply(Rig rig, long volume = 5)
    {
        var (version, hash, report) = await rig.Push(Entries(volume, $"Bench {Random.Shared.Next(100_000, 999_999)}"), ToApply);
        Is(report, Result.Applied, hash, version);
        return (version, hash);
    }

    private static async Task Applied(Rig rig)
    {
        await rig.Ready();
        var from = Now;
        await Apply(rig);
        rig.Measure("push to report", (Now - from).TotalMilliseconds, "ms", atMost: ToApply.TotalMilliseconds);
    }

    private static async Task WrongHash(LineRig rig)
    {
        await rig.LoggedIn();
        var (_, old) = await Apply(rig);
        var version = NextVersion();
        await rig.Told(Chunk(version, 0, Entries(6)));
        await rig.Told(Commit(version, 1, new byte[32]));
        Is(await Report(rig), Result.HashMismatch, old);
    }

    private static async Task MissingChunk(LineRig rig)
    {
        await rig.LoggedIn();
        var (version, entries) = (NextVersion(), Entries(6));
        await rig.Told(Chunk(version, 1, entries[2..]));
        await rig.Told(Commit(version, 2, ConfigurationHash.Of(entries)));
        Is(await Report(rig), Result.HashMismatch, null);
    }

    private static async Task AnyOrder(LineRig rig)
    {
        await rig.LoggedIn();
        var (version, entries) = (NextVersion(), Entries(4));
        var hash = ConfigurationHash.Of(entries);
        await rig.Told(Chunk(version, 1, Entries(9)[2..]));
        await rig.Told(Chunk(version, 1, entries[2..]));
        await rig.Told(Chunk(version, 0, entries[..2]));
        await rig.Told(Commit(version, 2, hash));
        Is(await Report(rig), Result.Applied, hash, version);
    }

    private static async Task SameAgain(LineRig rig)
    {
        await rig.LoggedIn();
        var (version, hash) = await Apply(rig);
        await rig.Told(Commit(version, 2, hash));
        Is(await Report(rig), Result.Applied, hash, version);
    }

    private static async Task Older(LineRig rig)
    {
        await rig.LoggedIn();
        var (version, _) = await Apply(rig);
        var entries = Entries(1);
        await rig.Told(Chunk(version - 1, 0, entries));
        await rig.Told(Commit(version - 1, 1, ConfigurationHash.Of(entries)));
        await rig.Quiet(h => h.Has(Up.ConfigurationReport), Ms(900), "a commit of an older version was answered");
    }

    private static async Task NewerDrops(LineRig rig)
    {
        await rig.LoggedIn();
        var (older, newer, entries) = (NextVersion(), NextVersion(), Entries(3));
        await rig.Told(Chunk(older, 0, Entries(8)));
        await rig.Told(Chunk(newer, 1, entries[2..]));
        await rig.Told(Chunk(newer, 0, entries[..2]));
        var hash = ConfigurationHash.Of(entries);
        await rig.Told(Commit(newer, 2, hash));
        Is(await Report(rig), Result.Applied, hash, newer);
    }

    private static async Task LostLink(LineRig rig)
    {
        await rig.LoggedIn();
        var (version, entries) = (NextVersion(), Entries(2));
        await rig.Told(Chunk(version, 0, entries));
        await rig.LoggedIn();
        await rig.Told(Commit(version, 1, ConfigurationHash.Of(entries)));
        Is(await Report(rig), Result.HashMismatch, null);
    }

    private static async Task Empty(Rig rig)
    {
        await rig.Ready();
        // A hub whose wish is empty already sends nothing.
        await Apply(rig);
        var pushed = await rig.Push([], ToApply);
        Is(pushed.Report, Result.Applied, ConfigurationHash.Of([]), pushed.Version);
    }

    private static async Task InHeartbeat(Rig rig)
    {
        await rig.Ready();
        var applied = await Apply(rig);
        var beat = await rig.HeartbeatAfter(applied);
        Assert(beat.ConfigurationVersion == applied.Version, $"the heartbeat tells version {beat.ConfigurationVersion} instead of {applied.Version}");
    }

    /// <summary>The first heartbeat after it tells the version; how long it was away.</summary>
    public static async Task<TimeSpan> SurvivesPowerCut(Rig rig, TimeSpan back)
    {
        rig.Need(JigAction.PowerCut);
        await rig.Ready();
        var applied = await Apply(rig, volume: 7);
        var from = Now;
        var beat = await rig.Restart(JigAction.PowerCut, back) ?? throw new CaseFailedException("it did not log in again");
        Assert(beat.ConfigurationVersion == applied.Version, $"configuration {beat.ConfigurationVersion} instead of {applied.Version} after the power cut");
        return Now - from;
    }
}
