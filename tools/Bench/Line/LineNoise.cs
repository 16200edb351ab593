namespace DeviceHub.Tools.Bench.Line;

/// <summary>What a bad cable does. Shares are of bytes, 0 to 1; a delay is of whole writes.</summary>
internal sealed record NoiseLevel(double Flip = 0, double Drop = 0, double Repeat = 0, int DelayMs = 0);

/// <summary>Noise from a seed: the same seed does the same to the same bytes. Thread-safe.</summary>
internal sealed class LineNoise(NoiseLevel level, int seed)
{
    private readonly Random random = new(seed);
    private readonly Lock gate = new();

    public int Flipped { get; private set; }

    public int Dropped { get; private set; }

    public int Repeated { get; private set; }

    public byte[] Apply(ReadOnlySpan<byte> bytes)
    {
        var delay = 0;
        var result = new List<byte>(bytes.Length + 2);
        lock (gate)
        {
            delay = level.DelayMs == 0 ? 0 : random.Next(level.DelayMs + 1);
            foreach (var one in bytes)
            {
                Take(one, result);
            }
        }

        if (delay > 0)
        {
            Thread.Sleep(delay);
        }

        return [.. result];
    }

    private void Take(byte one, List<byte> result)
    {
        if (random.NextDouble() < level.Drop)
        {
            Dropped++;
            return;
        }

        if (random.NextDouble() < level.Flip)
        {
            Flipped++;
            one ^= (byte)(1 << random.Next(8));
        }

        result.Add(one);
        if (random.NextDouble() < level.Repeat)
        {
            Repeated++;
            result.Add(one);
        }
    }
}
