namespace DeviceHub.Dashboard.Charts;

/// <summary>How numbers of a chart are written.</summary>
public enum ChartUnit
{
    Count,
    Fen,
    Milliseconds,
    Hours,

    /// <summary>Of a radio's signal, below 0: the axis begins where the values do.</summary>
    Dbm,

    /// <summary>0 to 1.</summary>
    Share,
}

/// <summary>What a series means; its colour follows.</summary>
public enum ChartTone
{
    Main,
    Good,
    Warning,
    Bad,
    Quiet,
}

/// <param name="Values">One for each time of the chart; null: a gap.</param>
/// <param name="Bars">Bars, which stack on each other; else a line.</param>
public sealed record ChartSeries(string Name, ChartTone Tone, IReadOnlyList<double?> Values, bool Bars = false);
