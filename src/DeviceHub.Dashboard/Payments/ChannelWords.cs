using System.Text.RegularExpressions;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Localization;

namespace DeviceHub.Dashboard.Payments;

/// <summary>
/// What a channel's answer means, in the reader's language: the ledger keeps the words of the channels' tables (VerdictTable) in English, and they are the
/// keys here, beside the hub's own codes for what is no answer. What is not known is the channel's own text, and stays as the channel said it.
/// </summary>
public sealed partial class ChannelWords(IStringLocalizer<ChannelWords> words)
{
    /// <summary>Codes of the hub's with a sentence of the hub's own.</summary>
    private static readonly string[] OfTheHub = ["account", "bad-signature", "clock-skew"];

    /// <summary>The meaning of the answer's code; null: no table knows it.</summary>
    public string? Meaning(ChannelVerdict said)
    {
        if (said.Text is { } text && (Known(text) ?? (OfTheHub.Contains(said.Code) ? text : null)) is { } meaning)
        {
            return meaning;
        }

        return Server().Match(said.Code) is { Success: true } fault ? words["http", fault.Groups[1].Value] : Known(said.Code);
    }

    /// <summary>The channel's own text; null: it sent none.</summary>
    public string? Quoted(ChannelVerdict said) => said.Text is { } text && Known(text) is null && !OfTheHub.Contains(said.Code) ? text : null;

    private string? Known(string sentence) => words[sentence] is { ResourceNotFound: false, Value: var value } ? value : null;

    [GeneratedRegex("^http([0-9]{3})$")]
    private static partial Regex Server();
}
