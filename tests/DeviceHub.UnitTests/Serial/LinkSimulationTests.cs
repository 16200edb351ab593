using System.Buffers.Binary;
using DeviceHub.Protocol.Serial;

namespace DeviceHub.UnitTests.Serial;

/// <summary>
/// Both ends over a line that flips, drops and repeats bytes, delays them, is cut, and whose ends restart; all from a seed. In the life of a link
/// every payload arrives exactly once and in order, and what was acknowledged has arrived.
/// </summary>
public sealed class LinkSimulationTests
{
    private const int Seeds = 120;

    [Fact]
    public void Every_payload_arrives_once_and_in_order_or_the_link_says_that_it_is_down()
    {
        long delivered = 0;
        long resent = 0;
        var lives = 0;
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var run = new Run(seed);
            run.Play(noisyMs: 30_000, quietMs: 15_000);
            delivered += run.Delivered;
            resent += run.Resent;
            lives += run.Lives;
        }

        // The line was bad enough to matter, and good enough to be used.
        Assert.True(delivered > Seeds * 100 && resent > Seeds * 10 && lives > Seeds * 4, $"{delivered} delivered, {resent} sent again, {lives} lives");
    }

    private sealed class Run
    {
        private readonly Random random;
        private readonly int seed;
        private readonly double noise;
        private readonly Pipe up = new();
        private readonly Pipe down = new();
        private readonly End hub = new();
        private readonly End terminal = new();
        private uint bootId;
        private bool quiet;
        private bool cut;

        public Run(int seed)
        {
            this.seed = seed;
            random = new Random(seed);
            noise = (seed % 4) switch { 0 => 0, 1 => 0.0002, 2 => 0.001, _ => 0.005 };
            bootId = (uint)(seed * 1000);
            Boot(hub, 0);
            Boot(terminal, 0);
        }

        public long Delivered => hub.Received.Count + terminal.Received.Count;

        public long Resent { get; private set; }

        public int Lives => hub.Life + terminal.Life;

        public void Play(int noisyMs, int quietMs)
        {
            long before = 0;
            for (long now = 0; now < noisyMs + quietMs; now += 3)
            {
                quiet = now >= noisyMs;
                if (quiet && before == 0)
                {
                    before = 1 + Delivered;
                }

                Disturb(now);
                Carry(up, terminal, hub, now);
                Carry(down, hub, terminal, now);
                Step(hub, terminal, now);
                Step(terminal, hub, now);
            }

            Assert.True(hub.Link!.IsUp && terminal.Link!.IsUp, $"seed {seed}: not linked on a good line");
            Assert.True(Delivered > before + 20, $"seed {seed}: nothing moves on a good line");
            Resent += hub.Link.Counts.Resent + terminal.Link.Counts.Resent;
        }

        private void Boot(End end, long now)
        {
            Resent += end.Link?.Counts.Resent ?? 0;
            end.Pending = null;
            end.Outgoing.Clear();
            end.Rate = 115_200;
            if (end == hub)
            {
                var link = new HubLink(end, 115_200, seed % 3 == 0 ? 921_600 : 0, 1_024);
                end.Link = link;
                link.Open(now);
            }
            else
            {
                var link = new TerminalLink(end, 115_200, new LinkHello(0, 700, 300, "T0000001", [921_600, 460_800]), () => ++bootId);
                end.Link = link;
                link.Start(now);
            }
        }

        private void Disturb(long now)
        {
            if (!quiet && noise > 0)
            {
                if (random.Next(4_000) == 0)
                {
                    Boot(random.Next(2) == 0 ? hub : terminal, now);
                }

                cut = cut ? random.Next(300) != 0 : random.Next(4_000) == 0;
            }
            else
            {
                cut = false;
            }
        }

        private void Step(End end, End other, long now)
        {
            end.Link!.Tick(now);
            if (end.Pending is { } sent && end.Link.IsUp && end.Life == sent.Life && end.Link.CanSend)
            {
                Assert.True(other.Received.Contains(sent), $"seed {seed}: {sent} was acknowledged and never arrived");
                end.Pending = null;
            }

            if (end.Link.CanSend && random.Next(4) == 0)
            {
                var payload = new byte[random.Next(8, Math.Min(end.Link.LargestPayload, 200))];
                random.NextBytes(payload);
                BinaryPrimitives.WriteInt32LittleEndian(payload, end.Life);
                BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(4), end.Next);
                if (end.Link.TrySend(payload, now))
                {
                    end.Pending = (end.Life, end.Next++);
                }
            }
        }

        /// <summary>Bytes leave with delays, in order; whatever goes wrong with them goes wrong here.</summary>
        private void Carry(Pipe pipe, End from, End to, long now)
        {
            var bytes = new List<byte>();
            foreach (var (b, rate) in from.Outgoing)
            {
                if (cut || rate != to.Rate)
                {
                    // A cable that was pulled loses all; another rate makes something else of it.
                    if (!cut && random.Next(3) > 0)
                    {
                        bytes.Add((byte)random.Next(256));
                    }
                }
                else if (quiet || random.NextDouble() >= noise)
                {
                    bytes.Add(b);
                }
                else
                {
                    switch (random.Next(4))
                    {
                        case 0: bytes.Add((byte)(b ^ (1 << random.Next(8)))); break;
                        case 1: bytes.AddRange([b, b]); break;
                        case 2: bytes.AddRange([b, .. "boot text\r\n"u8]); break;
                        default: break;
                    }
                }
            }

            from.Outgoing.Clear();
            if (bytes.Count > 0)
            {
                var longest = quiet || noise == 0 ? 15 : random.Next(20) == 0 ? 600 : 30;
                pipe.LastDue = Math.Max(pipe.LastDue, now + random.Next(1, longest));
                pipe.Chunks.Enqueue((pipe.LastDue, [.. bytes]));
            }

            while (pipe.Chunks.TryPeek(out var chunk) && chunk.Due <= now)
            {
                to.Link!.Receive(pipe.Chunks.Dequeue().Bytes, now);
            }
        }
    }

    private sealed class Pipe
    {
        public Queue<(long Due, byte[] Bytes)> Chunks { get; } = new();

        public long LastDue { get; set; }
    }

    /// <summary>One end, and the check of what it is handed.</summary>
    private sealed class End : ILinkHost
    {
        private (int Life, int Number)? last;
        private bool freshLife;

        public SerialLink? Link { get; set; }

        public int Rate { get; set; }

        public int Life { get; private set; }

        public int Next { get; set; }

        public (int Life, int Number)? Pending { get; set; }

        public List<(byte Byte, int Rate)> Outgoing { get; } = [];

        public HashSet<(int Life, int Number)> Received { get; } = [];

        public void Write(ReadOnlySpan<byte> bytes)
        {
            foreach (var b in bytes)
            {
                Outgoing.Add((b, Rate));
            }
        }

        public void ChangeRate(int baud) => Rate = baud;

        public bool Deliver(ReadOnlySpan<byte> payload)
        {
            var got = (Life: BinaryPrimitives.ReadInt32LittleEndian(payload), Number: BinaryPrimitives.ReadInt32LittleEndian(payload[4..]));
            Assert.True(Received.Add(got), $"{got} came twice");
            Assert.True(freshLife ? got.Number == 0 : last == (got.Life, got.Number - 1), $"{got} came after {last}");
            last = got;
            freshLife = false;
            return true;
        }

        public void Up()
        {
            Life++;
            Next = 0;
            Pending = null;
            freshLife = true;
        }

        public void Down(LinkEnd end, byte code) => Pending = null;
    }
}
