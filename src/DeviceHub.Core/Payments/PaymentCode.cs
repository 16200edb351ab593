namespace DeviceHub.Core.Payments;

/// <summary>A customer's payment code. It prints itself masked and is never stored (I9, step 5 of the walk).</summary>
[GenerateSerializer, Immutable, Alias("dh.PaymentCode")]
public readonly struct PaymentCode(string value)
{
    [Id(0)]
    private readonly string value = value;

    /// <summary>The code itself: for the channel's request and the fingerprint, nothing else.</summary>
    public string Reveal() => value ?? string.Empty;

    public string LastFour => Reveal() is { Length: >= 8 } code ? code[^4..] : string.Empty;

    public override string ToString() => "****" + LastFour;
}

/// <summary>Whose purse a code opens. Stored and sent by value: never renumber.</summary>
[GenerateSerializer, Alias("dh.Wallet")]
public enum Wallet
{
    None = 0,
    WeChat = 1,
    Alipay = 2,
    UnionPay = 3,
}

/// <summary>Which wallet a code belongs to, by shape. A code that fits none is an input error, never a guess. Source: PAYMENTS, section 4.</summary>
public static class WalletTable
{
    public static Wallet Of(ReadOnlySpan<char> code)
    {
        foreach (var c in code)
        {
            if (!char.IsAsciiDigit(c))
            {
                return Wallet.None;
            }
        }

        if (code.Length < 16)
        {
            return Wallet.None;
        }

        var prefix = ((code[0] - '0') * 10) + (code[1] - '0');
        return (prefix, code.Length) switch
        {
            ( >= 10 and <= 15, 18) => Wallet.WeChat,
            ( >= 25 and <= 30, >= 16 and <= 24) => Wallet.Alipay,
            (62, 19) => Wallet.UnionPay,
            _ => Wallet.None,
        };
    }
}
