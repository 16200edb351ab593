namespace DeviceHub.Tools.Seed;

/// <summary>When payments happen: by the hours of Chinese counters, more at weekends, in order.</summary>
internal static class PaymentTimes
{
    private static readonly double[] ByHour = [1, 0.5, 0.4, 0.4, 0.5, 1, 4, 9, 9, 7, 7, 11, 14, 10, 8, 8, 9, 12, 15, 13, 10, 7, 4, 2];
    private static readonly TimeSpan China = TimeSpan.FromHours(8);

    public static IEnumerable<DateTimeOffset> Of(SeedSetup setup, Dice dice)
    {
        var minutes = (int)(setup.Until - setup.From).TotalMinutes;
        var all = Enumerable.Range(0, minutes).Sum(m => Weight(setup.From.AddMinutes(m)));
        var (passed, given) = (0.0, 0L);
        for (var minute = 0; minute < minutes; minute++)
        {
            var from = setup.From.AddMinutes(minute);
            passed += Weight(from);
            var count = (minute == minutes - 1 ? setup.Payments : (long)(setup.Payments * passed / all)) - given;
            given += count;
            foreach (var ms in Enumerable.Range(0, (int)count).Select(_ => dice.Below(60_000)).Order())
            {
                yield return from.AddMilliseconds(ms);
            }
        }
    }

    private static double Weight(DateTimeOffset at)
    {
        var local = at.ToOffset(China);
        var (now, next) = (ByHour[local.Hour], ByHour[(local.Hour + 1) % 24]);
        var weekend = local.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 1.25 : 1;
        return (now + ((next - now) * local.Minute / 60)) * weekend;
    }
}
