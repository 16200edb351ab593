namespace DeviceHub.Tools.ChannelSandbox;

/// <summary>What the command line says; its texts are in <see cref="SandboxCommand"/>.</summary>
internal sealed record SandboxOptions
{
    public Uri Url { get; init; } = new("http://127.0.0.1:7080");

    /// <summary>Null: the book is in memory only.</summary>
    public string? Book { get; init; }

    public int MaxOrders { get; init; } = 2_000_000;

    public int Seed { get; init; } = 1;

    /// <summary>Of calls, 0 to 1.</summary>
    public double FaultRate { get; init; }

    public bool AmountFaults { get; init; } = true;

    /// <summary>How long a payer types a password.</summary>
    public TimeSpan PasswordAfter { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Above it a password is asked for, in fen; 0: never.</summary>
    public long PasswordAboveFen { get; init; }

    /// <summary>After how long a charge that comes late comes.</summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a slow answer takes.</summary>
    public TimeSpan SlowAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a caller is left without an answer before the connection is closed.</summary>
    public TimeSpan HangFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a slow refund is under way.</summary>
    public TimeSpan RefundAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>WeChat: how long after the payment it may be reversed.</summary>
    public TimeSpan ReverseAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The channels' waits between two tries of a notice are divided by it.</summary>
    public double NoticeSpeed { get; init; } = 1;

    /// <summary>Calls a second and merchant; 0: no limit.</summary>
    public int RateLimit { get; init; }

    /// <summary>Bills of today can be had, too.</summary>
    public bool BillToday { get; init; }

    /// <summary>Added to the channel's clock.</summary>
    public TimeSpan ClockSkew { get; init; }

    /// <summary>Null: no TLS.</summary>
    public Uri? TlsUrl { get; init; }
}
