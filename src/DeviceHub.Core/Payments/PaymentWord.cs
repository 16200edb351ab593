using System.Globalization;
using System.Text.RegularExpressions;

namespace DeviceHub.Core.Payments;

/// <summary>What a word in the search box may be.</summary>
public enum PaymentWordKind
{
    None,

    /// <summary><c>{sn}/{requestId}</c>.</summary>
    Payment,
    OrderNumber,

    /// <summary>Our order number at the channel, of any attempt, or the channel's own transaction number.</summary>
    ChannelNumber,
    RefundNumber,
    Terminal,
    RequestId,
    Amount,
    LastFour,
}

/// <summary>
/// A word of the search box by its shape. An amount has a currency sign or two decimals; what is not one is looked up as a number, and
/// the data says which: an order's, a channel's, a terminal's, a request's.
/// </summary>
/// <param name="Number">To be looked up as it is; null: it is a payment or an amount.</param>
/// <param name="ChannelOrderNumber">That a refund's number is made from; null: it is no refund's.</param>
/// <param name="LastFour">Four digits: also of a payment code.</param>
/// <param name="IsRequestId">It may be a request id.</param>
public sealed partial record PaymentWord(
    PaymentId? Payment = null, long? AmountFen = null, string? Number = null, string? ChannelOrderNumber = null, string? LastFour = null, bool IsRequestId = false)
{
    /// <summary>Longer is no number of anybody.</summary>
    public const int MaxLength = 80;

    /// <summary>Null: there is nothing to look for.</summary>
    public static PaymentWord? Parse(string? text)
    {
        // People paste numbers with a blank or a line end around them, and from a full-width keyboard.
        var word = text?.Normalize(System.Text.NormalizationForm.FormKC).Trim() ?? "";
        if (word.Length is 0 or > MaxLength)
        {
            return null;
        }

        if (PaymentPath().Match(word) is { Success: true } path)
        {
            return new(Payment: new PaymentId(path.Groups[1].Value, path.Groups[2].Value));
        }

        if (Money().Match(word) is { Success: true } money
            && decimal.TryParse(money.Groups["yuan"].Value.Replace(",", "", StringComparison.Ordinal), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var yuan))
        {
            return new(AmountFen: (long)(yuan * 100));
        }

        return new(
            Number: word,
            ChannelOrderNumber: RefundNumber().Match(word) is { Success: true } refund ? refund.Groups[1].Value : null,
            LastFour: word.Length == 4 && word.All(char.IsAsciiDigit) ? word : null,
            IsRequestId: RequestId().IsMatch(word));
    }

    [GeneratedRegex("^/?(?:payments/)?([A-Za-z0-9_-]{4,32})/([A-Za-z0-9_-]{8,36})$")]
    private static partial Regex PaymentPath();

    /// <summary>With a sign before it, a unit after it, or two decimals; normalised, so that full-width signs are plain ones.</summary>
    [GeneratedRegex(@"^(?:(?:¥|CNY|RMB)\s?(?<yuan>[0-9][0-9,]{0,12}(?:\.[0-9]{1,2})?)|(?<yuan>[0-9][0-9,]{0,12}\.[0-9]{2})|(?<yuan>[0-9][0-9,]{0,12}(?:\.[0-9]{1,2})?)\s?元)$", RegexOptions.IgnoreCase)]
    private static partial Regex Money();

    [GeneratedRegex("^(d[0-9a-f]{29})r[0-9]{1,2}$")]
    private static partial Regex RefundNumber();

    [GeneratedRegex("^[A-Za-z0-9_-]{8,36}$")]
    private static partial Regex RequestId();
}
