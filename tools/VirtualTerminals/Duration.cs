using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>A time on a command line as people write it: <c>500ms</c>, <c>20s</c>, <c>5m</c>, <c>1.5h</c>; a bare number is seconds.</summary>
public readonly record struct Duration(TimeSpan Time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(7);
    private static readonly (string Unit, double Seconds)[] Units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)];

    /// <summary>An option that takes such a time, above 0 and at most a week.</summary>
    /// <param name="usual">When the option is left out.</param>
    public static Option<Duration?> Option(string name, string description, TimeSpan? usual = null)
    {
        var option = new Option<Duration?>(name) { Description = description, HelpName = "TIME", CustomParser = Parse };
        if (usual is { } time)
        {
            option.DefaultValueFactory = _ => new Duration(time);
        }

        return option;
    }

    public static bool TryParse(string text, out Duration duration)
    {
        var (unit, seconds) = Units.First(u => text.EndsWith(u.Unit, StringComparison.Ordinal));
        var good = double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * seconds > 0 && number * seconds <= Longest.TotalSeconds;
        duration = new(good ? TimeSpan.FromSeconds(number * seconds) : TimeSpan.Zero);
        return good;
    }

    public override string ToString()
    {
        var seconds = Time.TotalSeconds;
        var (unit, size) = seconds < 1 ? Units[0] : Units[1..4].Last(u => u.Seconds <= seconds && seconds % u.Seconds == 0 || u.Seconds == 1);
        return (seconds / size).ToString("0.###", CultureInfo.InvariantCulture) + unit;
    }

    private static Duration? Parse(ArgumentResult result)
    {
        if (TryParse(result.Tokens[0].Value, out var duration))
        {
            return duration;
        }

        result.AddError($"'{result.Tokens[0].Value}' is not a time such as 500ms, 20s, 5m or 1h");
        return null;
    }
}
