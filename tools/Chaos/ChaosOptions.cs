namespace DeviceHub.Tools.Chaos;

/// <param name="Kills">Null: until <paramref name="Duration"/> is over.</param>
/// <param name="Duration">Null: until there were so many kills.</param>
/// <param name="FaultRate">Of calls to the channels, 0 to 1.</param>
internal sealed record ChaosOptions(int? Kills, TimeSpan? Duration, int Seed, int Terminals, double FaultRate);
