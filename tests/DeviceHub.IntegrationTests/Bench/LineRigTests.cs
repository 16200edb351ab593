using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Protocol.Serial;
using DeviceHub.Tests;
using DeviceHub.Tools.Bench;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Emulation;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>What cases begin with: a unit that has begun anew, whatever was on its way before.</summary>
public sealed class LineRigTests
{
    [Theory]
    [InlineData("S01")]
    [InlineData("S05")]
    [InlineData("S24")]
    [InlineData("S33")]
    [InlineData("S50")]
    public async Task Case_passes_though_the_terminal_linked_before_it_read_the_CLOSE(string id)
    {
        using var unit = await LateUnit.Make();

        var result = await ConformanceRun.Run(ConformanceRun.Cases.Single(c => c.Id == id), unit.Rig);

        Assert.True(result?.Status == StepStatus.Passed, result?.Detail);
    }

    /// <summary>A terminal whose key was offered and then refused asks for another code, and says no HELLO until it has one.</summary>
    [Fact]
    public async Task Case_that_challenges_by_hand_takes_the_proof_that_follows_for_right()
    {
        using var unit = await EmulatedUnit.Make();

        var result = Assert.Single(await unit.Try(["L10"]));

        Assert.True(result.Status == StepStatus.Passed, result.Detail);
        // A link that falls before the proof, on a busy machine, leads to a session that is challenged.
        unit.Rig.Session.Script = new SessionScript();
        await Eventually.Holds(() => unit.Rig.Session.ProofIsGood is not null, "the key that was offered is proved");
        Assert.True(unit.Rig.Session.ProofIsGood);
    }

    /// <summary>
    /// A terminal that reads nothing until there is a CLOSE after a REPLY. So it says HELLO twice: the bench replies to the first, closes, and hears the second. Then the terminal
    /// reads the REPLY, links and says its hello, and only then reads the CLOSE.
    /// </summary>
    private sealed class LateUnit : ILinkHost, ITerminalWire, IDisposable
    {
        private readonly Lock gate = new();
        private readonly EmulatedTerminal terminal = new(new TerminalIdentity("EMULATED-1", "board-1", "ABCD-EFGH-JKMN-PQRS"), null, Fault.None, _ => { });
        private readonly FrameReader ahead = new(FrameSize.LargestPayload);
        private readonly List<byte> unread = [];
        private readonly string folder;
        private readonly PtyPair pair;
        private readonly SerialLine line;
        private readonly TerminalLink wire;
        private readonly Timer ticking;
        private BenchLink? bench;
        private bool isReplied;
        private bool reads;
        private long skippedMs;

        private LateUnit(string folder, PtyPair pair)
        {
            (this.folder, this.pair) = (folder, pair);
            line = SerialLine.Open(pair.TerminalEnd, 115_200, isTerminal: true);
            wire = new TerminalLink(this, 115_200, new LinkHello(0, 2048, 1000, "EMULATED-1", [921_600]), () => (uint)Random.Shared.Next(1, int.MaxValue));
            line.Start(Receive);
            lock (gate)
            {
                wire.Start(NowMs);
            }

            ticking = new Timer(_ => Tick(), null, 0, 5);
        }

        /// <summary>A new one at each look.</summary>
        public LineRig Rig => new(
            bench!, new BenchSession(bench!, new TerminalKeys(new BenchHome(folder), null)), new EmulatedHands(_ => { }, _ => { }),
            DeviceHub.Tools.Bench.Texts.In("en"), TestContext.Current.CancellationToken);

        public string Name => "serial";

        private long NowMs => (long)SerialLine.Now.TotalMilliseconds + skippedMs;

        public static async Task<LateUnit> Make()
        {
            var folder = Directory.CreateTempSubdirectory("late-").FullName;
            var pair = new PtyPair(folder, "line");
            await pair.Plug();
            var unit = new LateUnit(folder, pair);
            unit.bench = new BenchLink(SerialLine.Open(pair.HubEnd, 115_200), 115_200);
            await Eventually.Holds(() => unit.bench.IsUp, "the first HELLO is replied to");
            return unit;
        }

        public bool TrySend(byte[] payload) => wire.TrySend(payload, NowMs);

        public void Restart() => wire.Start(NowMs);

        public void Write(ReadOnlySpan<byte> bytes) => line.Write(bytes);

        public void ChangeRate(int baud) => line.Rate = baud;

        public bool Deliver(ReadOnlySpan<byte> payload)
        {
            terminal.Receive(this, payload, NowMs);
            return true;
        }

        public void Up() => terminal.Connected(NowMs);

        public void Down(LinkEnd end, byte code) => terminal.Disconnected();

        public void Dispose()
        {
            bench?.Dispose();
            ticking.Dispose();
            line.Dispose();
            pair.Dispose();
            Directory.Delete(folder, recursive: true);
        }

        private void Receive(ReadOnlyMemory<byte> bytes, TimeSpan at)
        {
            lock (gate)
            {
                unread.AddRange(bytes.Span);
                if (!reads && IsClosed(bytes.Span))
                {
                    reads = true;
                    skippedMs = SerialLink.IdleMs;
                    wire.Tick(NowMs);
                }

                if (reads)
                {
                    foreach (var one in unread)
                    {
                        wire.Receive([one], NowMs);
                        terminal.Poll(this, NowMs);
                    }

                    unread.Clear();
                }
            }
        }

        /// <summary>Looks ahead at what the terminal has not read yet.</summary>
        private bool IsClosed(ReadOnlySpan<byte> bytes)
        {
            var isClosed = false;
            while (ahead.TryRead(ref bytes, out var frame, out _))
            {
                isReplied |= frame.Type == FrameType.Reply;
                isClosed |= isReplied && frame.Type == FrameType.Close;
            }

            return isClosed;
        }

        private void Tick()
        {
            lock (gate)
            {
                if (reads)
                {
                    wire.Tick(NowMs);
                    terminal.Poll(this, NowMs);
                }
            }
        }
    }
}
