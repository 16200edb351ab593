using System.Security.Cryptography.X509Certificates;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>One terminal: who it is, how it speaks, and where its hub is.</summary>
public sealed record TerminalSetup
{
    public required string SerialNumber { get; init; }

    public string Host { get; init; } = "127.0.0.1";

    public int Port { get; init; } = 1883;

    public bool Tls { get; init; }

    /// <summary>The hub's CA, which a real terminal pins. Null: any certificate is taken, which is for a bench alone.</summary>
    public X509Certificate2? PinnedCa { get; init; }

    public string HardwareId { get; init; } = "VT-0001";

    public TerminalModel Model { get; init; } = TerminalModel.CounterPos;

    public string Firmware { get; init; } = "1.0.0";

    /// <summary>32 bytes; null: it activates first.</summary>
    public byte[]? Key { get; init; }

    public string? ActivationCode { get; init; }

    public NetworkFaults Network { get; init; } = NetworkFaults.None;

    /// <summary>From the first send of a request to its repeat while nothing about it was answered; it doubles twice.</summary>
    public TimeSpan RepeatAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>From accepted to a question about the outcome.</summary>
    public TimeSpan AskAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From a scan to the time after which the hub must not charge it any more, 1 to 120 s.</summary>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>From a collect to the customer who shows a code.</summary>
    public TimeSpan ScanAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The first wait before connecting again; it doubles up to <see cref="MaxBackOff"/>.</summary>
    public TimeSpan BackOff { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan MaxBackOff { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Random wait that is added when the hub closed or refused; specified as 0 to 30 s.</summary>
    public TimeSpan Jitter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Null: as the hub's welcome says.</summary>
    public TimeSpan? HeartbeatEvery { get; init; }
}

/// <summary>What a bad network does. Shares are 0 to 1.</summary>
/// <param name="Drop">Of payments: the connection breaks while it is under way.</param>
/// <param name="Lose">Of messages, both ways: handed to the network and gone.</param>
/// <param name="Duplicate">Of messages, both ways: the same bytes twice.</param>
/// <param name="MaxDelay">Each message takes up to this long.</param>
public sealed record NetworkFaults(double Drop, double Lose, double Duplicate, TimeSpan MaxDelay)
{
    public static readonly NetworkFaults None = new(0, 0, 0, TimeSpan.Zero);

    public static readonly NetworkFaults Bad = new(0.25, 0.08, 0.08, TimeSpan.FromMilliseconds(300));
}
