using System.ComponentModel.DataAnnotations;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Routing;

/// <summary>Which account takes a payment; section <c>Routing</c>.</summary>
public sealed class RoutingOptions
{
    public const string Section = "Routing";

    /// <summary>The channel of merchants that have no account; empty: their payments are refused.</summary>
    public string DefaultChannel { get; set; } = "sandbox";

    /// <summary>Whose code it is, by its first digits and its length. A code that fits no row is refused. Source: PAYMENTS, section 4.</summary>
    [Required, MinLength(1), MaxLength(64)]
    public WalletRow[] Wallets { get; set; } =
    [
        new() { From = "10", To = "15", MinLength = 18, MaxLength = 18, Wallet = Wallet.WeChat },
        new() { From = "25", To = "30", MinLength = 16, MaxLength = 24, Wallet = Wallet.Alipay },
        new() { From = "62", To = "62", MinLength = 19, MaxLength = 19, Wallet = Wallet.UnionPay },
    ];

    /// <summary>An account's last calls that its circuit breaker looks at.</summary>
    [Range(5, 100)]
    public int BreakerCalls { get; set; } = 20;

    /// <summary>Calls older than this say nothing any more.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan BreakerWindow { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Fewer calls than these open no circuit.</summary>
    [Range(1, 100)]
    public int BreakerMinCalls { get; set; } = 5;

    /// <summary>The share of calls that failed (no answer, or one that proves nothing, or the account was turned away) from which the circuit opens.</summary>
    [Range(0.01, 1.0)]
    public double BreakerFailedShare { get; set; } = 0.5;

    /// <summary>A payment's answer that takes longer is slow.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan BreakerSlowAfter { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>The share of slow or failed calls from which the circuit opens.</summary>
    [Range(0.01, 1.0)]
    public double BreakerSlowShare { get; set; } = 0.8;

    /// <summary>How long a circuit stays open before one payment tries it; doubled at each try that fails.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan BreakerOpenFor { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest that it is doubled to.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan BreakerMaxOpenFor { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Payments that must be answered well, one after the other, before the circuit is closed.</summary>
    [Range(1, 20)]
    public int BreakerProbes { get; set; } = 2;
}

/// <summary>One row of the table of wallets.</summary>
public sealed class WalletRow
{
    /// <summary>The lowest first digits, 2 to 6 of them.</summary>
    public string From { get; set; } = "";

    /// <summary>The highest first digits, as many as <see cref="From"/> has.</summary>
    public string To { get; set; } = "";

    /// <summary>Digits of the whole code, at least.</summary>
    public int MinLength { get; set; }

    /// <summary>Digits of the whole code, at most.</summary>
    public int MaxLength { get; set; }

    public Wallet Wallet { get; set; }

    public override string ToString() =>
        $"{(From == To ? From : $"{From}-{To}")} with {(MinLength == MaxLength ? $"{MinLength}" : $"{MinLength}-{MaxLength}")} digits: {Wallet}";
}

/// <summary>Refuses a table that could say two things of one code.</summary>
public sealed class RoutingOptionsValidator : IValidateOptions<RoutingOptions>
{
    public ValidateOptionsResult Validate(string? name, RoutingOptions options)
    {
        var faults = new List<string>();
        for (var i = 0; i < options.Wallets.Length; i++)
        {
            if (Fault(options.Wallets[i]) is { } fault)
            {
                faults.Add($"Routing:Wallets:{i} ({options.Wallets[i]}) {fault}");
            }
        }

        for (var i = 0; faults.Count == 0 && i < options.Wallets.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (Overlap(options.Wallets[i], options.Wallets[j]))
                {
                    faults.Add($"Routing:Wallets:{j} ({options.Wallets[j]}) and Routing:Wallets:{i} ({options.Wallets[i]}) overlap: one code would belong to both");
                }
            }
        }

        if (options.BreakerMinCalls > options.BreakerCalls)
        {
            faults.Add($"Routing:BreakerMinCalls must be at most Routing:BreakerCalls ({options.BreakerCalls}); it is {options.BreakerMinCalls}");
        }

        if (options.BreakerMaxOpenFor < options.BreakerOpenFor)
        {
            faults.Add($"Routing:BreakerMaxOpenFor must be at least Routing:BreakerOpenFor ({options.BreakerOpenFor}); it is {options.BreakerMaxOpenFor}");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static string? Fault(WalletRow row) => row switch
    {
        _ when !IsPrefix(row.From) || !IsPrefix(row.To) || row.From.Length != row.To.Length => "needs From and To of 2 to 6 digits, equally many",
        _ when string.CompareOrdinal(row.From, row.To) > 0 => "has From above To",
        _ when row.MinLength < 10 || row.MaxLength > 32 || row.MinLength > row.MaxLength => "needs MinLength and MaxLength of 10 to 32, in this order",
        _ when row.Wallet is Wallet.None || !Enum.IsDefined(row.Wallet) => "needs a Wallet: WeChat, Alipay or UnionPay",
        _ => null,
    };

    private static bool IsPrefix(string digits) => digits.Length is >= 2 and <= 6 && digits.All(char.IsAsciiDigit);

    private static bool Overlap(WalletRow a, WalletRow b) =>
        a.MinLength <= b.MaxLength && b.MinLength <= a.MaxLength
        && string.CompareOrdinal(a.From.PadRight(6, '0'), b.To.PadRight(6, '9')) <= 0
        && string.CompareOrdinal(b.From.PadRight(6, '0'), a.To.PadRight(6, '9')) <= 0;
}
