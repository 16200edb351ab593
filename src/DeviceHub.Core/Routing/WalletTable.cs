using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Routing;

/// <summary>Which wallet a code belongs to, by shape (<see cref="RoutingOptions.Wallets"/>). A code that fits none is an input error, never a guess.</summary>
public sealed class WalletTable
{
    /// <summary>Rows by the first two digits of the codes that they may fit: most have one.</summary>
    private readonly WalletRow[][] byFirstTwo;

    public WalletTable(IOptions<RoutingOptions> options)
    {
        var rows = options.Value.Wallets;
        byFirstTwo = [.. Enumerable.Range(0, 100).Select(two => rows.Where(r => First(r.From) <= two && two <= First(r.To)).ToArray())];
    }

    public Wallet Of(ReadOnlySpan<char> code)
    {
        if (code.Length < 2 || code.ContainsAnyExceptInRange('0', '9'))
        {
            return Wallet.None;
        }

        foreach (var row in byFirstTwo[First(code)])
        {
            if (code.Length >= row.MinLength && code.Length <= row.MaxLength
                && code[..row.From.Length].SequenceCompareTo(row.From) >= 0 && code[..row.To.Length].SequenceCompareTo(row.To) <= 0)
            {
                return row.Wallet;
            }
        }

        return Wallet.None;
    }

    private static int First(ReadOnlySpan<char> digits) => ((digits[0] - '0') * 10) + (digits[1] - '0');
}
