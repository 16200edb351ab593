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
