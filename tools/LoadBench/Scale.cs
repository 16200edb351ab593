namespace DeviceHub.Tools.LoadBench;

/// <summary>How long and how large a bench is.</summary>
/// <param name="Parts">What is measured when nothing else is asked for.</param>
internal sealed record Scale(
    IReadOnlyList<string> Parts, int Runs, TimeSpan RunFor, TimeSpan WarmUpFor, int IdleTerminals, int TlsTerminals, int BillRows, int SeededTerminals, int SeededPayments, int PageRuns)
{
    /// <summary>Warmed up for 20 s: until then a hub is compiled anew, and gives half of what it gives later.</summary>
    public static readonly Scale Full = new(
        ["mosquitto", "bare", "hub", "watched", "http", "tls", "reconcile", "serial", "pages"], 5, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(20), 8000, 8000, 1_000_000, 100_000, 1_000_000, 10);

    /// <summary>A look within a minute: that all of it runs, and ratios of a hub that is still being compiled.</summary>
    public static readonly Scale Quick = new(["mosquitto", "bare", "hub"], 3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), 1000, 1000, 100_000, 5_000, 50_000, 3);

    /// <summary>People who look at the overview.</summary>
    public const int Watchers = 20;

    /// <summary>Terminals that pay at the same time.</summary>
    public const int Payers = 64;
}
