namespace DeviceHub.Tools.ChannelSandbox.Bank;

/// <summary>The channel's clock: the machine's, and wrong by <see cref="Skew"/> when a fault says so.</summary>
internal sealed class ChannelClock(TimeProvider time)
{
    private static readonly TimeSpan China = TimeSpan.FromHours(8);
    private long skewMs;

    public TimeProvider Time => time;

    public TimeSpan Skew
    {
        get => TimeSpan.FromMilliseconds(Interlocked.Read(ref skewMs));
        set => Interlocked.Exchange(ref skewMs, (long)value.TotalMilliseconds);
    }

    /// <summary>Milliseconds since 1970.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds() + Interlocked.Read(ref skewMs);

    /// <summary>As the channels write times: China's, whatever the machine's zone is.</summary>
    public static DateTimeOffset Local(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToOffset(China);

    public static DateOnly Day(long ms) => DateOnly.FromDateTime(Local(ms).DateTime);

    /// <summary>The first millisecond of a day in China.</summary>
    public static long StartMs(DateOnly day) => new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), China).ToUnixTimeMilliseconds();
}
