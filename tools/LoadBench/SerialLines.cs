using DeviceHub.Protocol.Serial;

namespace DeviceHub.Tools.LoadBench;

/// <summary>
/// What the hub's ends of serial links cost when all their lines are full: the bytes of 64 terminals at 921,600 baud, cut as a kernel cuts them, through
/// frame readers and link states, with the acknowledgements that they write. Reading the descriptors is not in it.
/// </summary>
internal static class SerialLines
{
    public const int Lines = 64;
    private const int Baud = 921_600;
    private const int PayloadBytes = 512;

    /// <summary>A USB adapter's latency timer: the bytes of so many milliseconds come at once.</summary>
    private const int ChunkMs = 10;

    /// <returns>Per cent of one core.</returns>
    public static double Measure(TimeSpan lineTime)
    {
        var frames = Frames();
        var lines = Enumerable.Range(0, Lines).Select(n => new Line(n, frames)).ToList();
        Play(lines, 0, 2_000);
        var before = Environment.CpuUsage.TotalTime;
        var taken = lines.Sum(line => line.Taken);
        Play(lines, 2_000, (long)lineTime.TotalMilliseconds);
        var cost = (Environment.CpuUsage.TotalTime - before) / lineTime * 100;
        var wanted = (long)(lineTime.TotalSeconds * Baud / 10 / FrameSize.OnLine(PayloadBytes) * Lines);
        return lines.Sum(line => line.Taken) - taken >= wanted - (2 * Lines) ? cost : throw new InvalidOperationException("the links did not take every frame");
    }

    private static void Play(List<Line> lines, long fromMs, long forMs)
    {
        for (var now = fromMs; now < fromMs + forMs; now += ChunkMs)
        {
            foreach (var line in lines)
            {
                line.Play(now);
            }
        }
    }

    /// <summary>One turn of all sequences, as a terminal would send them.</summary>
    private static byte[] Frames()
    {
        var writer = new FrameWriter(PayloadBytes);
        var payload = new byte[PayloadBytes];
        new Random(1).NextBytes(payload);
        var line = new byte[FrameSize.OnLine(PayloadBytes)];
        var all = new List<byte>();
        for (var sequence = 0; sequence < 256; sequence++)
        {
            payload[sequence] = (byte)(sequence % 3);
            all.AddRange(line.AsSpan(0, writer.Write(line, FrameType.Data, (byte)sequence, payload)));
        }

        return [.. all];
    }

    private sealed class Line : ILinkHost
    {
        private readonly HubLink link;
        private readonly byte[] frames;
        private int at;

        public Line(int number, byte[] frames)
        {
            this.frames = frames;
            link = new HubLink(this, 115_200, 0, PayloadBytes);
            var hello = new byte[LinkHello.MaxBytes];
            var line = new byte[FrameSize.OnLine(LinkHello.MaxBytes)];
            var length = new LinkHello((uint)number + 1, PayloadBytes, 300, "BENCH-1", []).Write(hello);
            link.Receive(line.AsSpan(0, new FrameWriter(LinkHello.MaxBytes).Write(line, FrameType.Hello, 0, hello.AsSpan(0, length))), 0);
        }

        public long Taken { get; private set; }

        public void Play(long nowMs)
        {
            var left = Baud / 10 * ChunkMs / 1000;
            while (left > 0)
            {
                var length = Math.Min(left, frames.Length - at);
                link.Receive(frames.AsSpan(at, length), nowMs);
                at = (at + length) % frames.Length;
                left -= length;
            }

            link.Tick(nowMs);
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
        }

        public void ChangeRate(int baud)
        {
        }

        public bool Deliver(ReadOnlySpan<byte> payload)
        {
            Taken++;
            return true;
        }

        public void Up()
        {
        }

        public void Down(LinkEnd end, byte code) => throw new InvalidOperationException($"a link went down: {end}");
    }
}
