namespace DeviceHub.Tools.Seed;

/// <summary>All chance of a run: the same seed gives the same data. One thread at a time.</summary>
internal sealed class Dice(int seed)
{
    private readonly Random random = new(seed);

    /// <summary>0 to <paramref name="below"/> - 1.</summary>
    public int Below(int below) => random.Next(below);

    public bool Chance(double share) => random.NextDouble() < share;

    /// <summary>0 to 1, 1 excluded.</summary>
    public double Share() => random.NextDouble();

    public T Of<T>(IReadOnlyList<T> values) => values[random.Next(values.Count)];

    /// <summary>By weights, which need not sum to anything.</summary>
    public T Of<T>(IReadOnlyList<(double Weight, T Value)> values)
    {
        var at = random.NextDouble() * values.Sum(v => v.Weight);
        foreach (var (weight, value) in values)
        {
            at -= weight;
            if (at < 0)
            {
                return value;
            }
        }

        return values[^1].Value;
    }

    public TimeSpan Between(TimeSpan least, TimeSpan most) => least + ((most - least) * random.NextDouble());

    public string Digits(int count)
    {
        Span<char> digits = stackalloc char[count];
        foreach (ref var digit in digits)
        {
            digit = (char)('0' + random.Next(10));
        }

        return new string(digits);
    }

    public string Hex(int bytes)
    {
        Span<byte> buffer = stackalloc byte[bytes];
        random.NextBytes(buffer);
        return Convert.ToHexStringLower(buffer);
    }
}
