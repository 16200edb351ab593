using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Gateways;

/// <summary>How the hub talks with a terminal, on every wire; section <c>Session</c>.</summary>
public sealed class SessionOptions
{
    public const string Section = "Session";

    /// <summary>Language of texts for people: <c>zh-Hans</c> or <c>en</c>. Terminals that take ASCII only get <c>en</c>.</summary>
    [RegularExpression("^(zh-Hans|en)$", ErrorMessage = "Session:Language must be zh-Hans or en")]
    public string Language { get; set; } = "zh-Hans";

    /// <summary>How long an outcome may take before the terminal is told <c>accepted</c>, in milliseconds. 0 to 2,000.</summary>
    [Range(0, 2000)]
    public int AcceptedAfterMs { get; set; } = 200;

    /// <summary>How long a session waits for an outcome; after it, changes come through the terminal's grain. 1 to 20 seconds.</summary>
    [Range(1, 20)]
    public int OutcomeWaitSeconds { get; set; } = 20;

    /// <summary>Payments of one session that are waited for at once; more are refused as BUSY. 1 to 64.</summary>
    [Range(1, 64)]
    public int MaxConcurrentPayments { get; set; } = 4;

    /// <summary>When an outcome that nobody confirmed is sent again, in seconds after it was sent first. At most 8.</summary>
    [Required, MaxLength(8)]
    public int[] ResendAfterSeconds { get; set; } = [5, 15, 60];

    /// <summary>Outcomes of one session that are kept to be sent again; the oldest goes. 1 to 100.</summary>
    [Range(1, 100)]
    public int MaxUnconfirmed { get; set; } = 20;

    /// <summary>An outcome older than this is not the live answer to a scan any more, in seconds. 5 to 60.</summary>
    [Range(5, 60)]
    public int LateAfterSeconds { get; set; } = 15;

    /// <summary>The answer to the first wrong credentials or code of an address and serial number, in milliseconds; doubles. 10 to 10,000.</summary>
    [Range(10, 10_000)]
    public int WrongDelayMs { get; set; } = 250;

    /// <summary>The longest such delay, in seconds. 1 to 300.</summary>
    [Range(1, 300)]
    public int WrongDelayMaxSeconds { get; set; } = 30;

    /// <summary>
    /// Wrong activation codes of an address and serial number after which no other is looked at until they are forgotten. 1 to 1,000.
    /// </summary>
    [Range(1, 1000)]
    public int MaxWrongCodes { get; set; } = 10;

    /// <summary>How long wrong credentials or codes are remembered, in seconds. 60 to 86,400.</summary>
    [Range(60, 86_400)]
    public int WrongMemorySeconds { get; set; } = 600;

    /// <summary>Pairs of address and serial number that are remembered; past it every wrong one gets the longest delay. 100 to 1,000,000.</summary>
    [Range(100, 1_000_000)]
    public int WrongMemory { get; set; } = 20_000;

    /// <summary>Pushes of one version of the configuration in one session, so that a terminal that reports wrong hashes cannot ask for ever. 1 to 1,000.</summary>
    [Range(1, 1000)]
    public int MaxPushes { get; set; } = 50;

    /// <summary>Messages of one terminal that are shown in a second to who looks at it; more are left out and counted there. 1 to 1,000.</summary>
    [Range(1, 1000)]
    public int WatchedMessagesPerSecond { get; set; } = 40;
}
