namespace DeviceHub.Tools.LoadBench;

/// <summary>How long and how large a bench is.</summary>
internal sealed record Scale(int Runs, TimeSpan RunFor, TimeSpan WarmUpFor, int IdleTerminals, int TlsTerminals, int BillRows)
{
    public static readonly Scale Full = new(5, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(8), 8000, 8000, 1_000_000);

    public static readonly Scale Quick = new(3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2.5), 8000, 1000, 100_000);

    /// <summary>Terminals that pay at the same time.</summary>
    public const int Payers = 64;
}
