using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Localization;

namespace DeviceHub.Dashboard.Payments;

/// <summary>
/// The ledger's own sentences (why this account, why people must look) in the reader's language. They are kept in English; each phrase that is known is
/// said anew, and what stands in quotes is somebody's name and stays. A phrase that is not known stays English.
/// </summary>
public sealed partial class LedgerWords(IStringLocalizer<LedgerWords> words)
{
    /// <summary>As RoutingDecisions, RoutingCore and PaymentDecisions write them; what is in brackets becomes {0}, {1}, ...</summary>
    internal static readonly (string Phrase, string Key)[] Phrases =
    [
        (@"the merchant has no channel account, so the default channel (\S+) takes it", "DefaultTakesIt"),
        (@"the merchant has no channel account, and the default channel (\S+) was tried", "DefaultWasTried"),
        (@"the merchant has no channel account, and there is no default channel", "NoDefault"),
        (@"no account can take it", "NoneCanTakeIt"),
        (@"(\d+) accounts were tried", "AccountsTried"),
        (@"every circuit is open, and this is the least bad", "LeastBad"),
        (@", so the payment tries it", "TriesIt"),
        (@"passed over: ", "PassedOver"),
        (@", drawn with weight (\d+) of (\d+)", "Drawn"),
        (@"weight (\d+), not drawn", "NotDrawn"),
        (@"the same weight for a higher fee", "HigherFee"),
        (@"priority (-?\d+)", "Priority"),
        (@"healthy \((\d+) of (\d+) calls failed\)", "HealthyFailed"),
        (@"healthy", "Healthy"),
        (@"tried again after its circuit was open", "TriedAgain"),
        (@"another payment tries it now", "AnotherTries"),
        (@"circuit open for (\d+) s more after (\d+) of (\d+) calls failed", "CircuitOpen"),
        (@" and (\d+) were slow", "WereSlow"),
        (@"tried already", "TriedAlready"),
        (@"disabled", "Disabled"),
        (@"takes no (WeChat|Alipay|UnionPay)", "TakesNo"),
        (@"takes no less than ([0-9.]+) yuan", "NoLess"),
        (@"takes no more than ([0-9.]+) yuan", "NoMore"),
        (@"day limit of ([0-9.]+) yuan reached", "DayLimit"),
        (@"only ([0-9.]+) yuan are left of the day limit", "DayLimitLeft"),
        (@"closed at this hour", "ClosedNow"),
        (@"not settled ([0-9.:]+) after it was accepted", "NotSettled"),
        (@"attempt (\d+) is not settled after ([0-9.:]+)", "AttemptNotSettled"),
        (@"not settled after ([0-9.:]+): nothing is asked any more", "GivenUp"),
        (@"not refunded after ([0-9.:]+): nothing is asked any more", "RefundGivenUp"),
        (@"not refunded ([0-9.:]+) after the refund was begun", "NotRefunded"),
        (@"the channel refuses the refund of a late charge", "LateRefundRefused"),
        (@"the channel refuses refund (\S+)", "RefundRefused"),
        (@"approved, and now the channel says that the payer has the money back", "PaidBack"),
    ];

    private static readonly Regex Known = new(
        "\"[^\"]*\"|" + string.Join('|', Phrases.Select((p, i) => $"(?<p{i.ToString(CultureInfo.InvariantCulture)}>{Unnamed().Replace(p.Phrase, "(?:")})")), RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(200));

    public string Of(string sentence) => Known.Replace(sentence, match =>
    {
        for (var i = 0; i < Phrases.Length; i++)
        {
            if (match.Groups["p" + i.ToString(CultureInfo.InvariantCulture)].Success)
            {
                var parts = Regex.Match(match.Value, Phrases[i].Phrase, RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(200)).Groups.Values.Skip(1).Select(g => (object)g.Value);
                return words[Phrases[i].Key, [.. parts]];
            }
        }

        return match.Value;
    });

    [GeneratedRegex(@"(?<!\\)\((?!\?)")]
    private static partial Regex Unnamed();
}
