using System.Collections;
using System.Collections.Frozen;
using System.Globalization;
using System.Resources;
using System.Text;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Gateways.Texts;

/// <summary>What cashiers read and hear, from the resource files beside this file, in the bytes that a terminal asked for.</summary>
internal sealed class CashierTexts
{
    /// <summary>Bytes of one text on the wire.</summary>
    public const int MaxBytes = 120;

    private const string Missing = "refusal_other";
    private static readonly CashierTexts English = new("en");
    private static readonly CashierTexts Chinese = new("zh-Hans");

    private readonly FrozenDictionary<string, string> texts;

    static CashierTexts() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    private CashierTexts(string language)
    {
        var resources = new ResourceManager("DeviceHub.Gateways.Texts.Cashier", typeof(CashierTexts).Assembly);
        var culture = language == "en" ? CultureInfo.InvariantCulture : CultureInfo.GetCultureInfo(language);
        using var set = resources.GetResourceSet(culture, createIfNotExists: true, tryParents: false)
            ?? throw new MissingManifestResourceException($"the texts in {language} are missing");
        texts = set.Cast<DictionaryEntry>().ToFrozenDictionary(e => (string)e.Key, e => (string)e.Value!, StringComparer.Ordinal);
    }

    /// <summary>In ASCII nothing but English can be said.</summary>
    public static CashierTexts For(string language, TextEncoding encoding) =>
        encoding == TextEncoding.Ascii || language == "en" ? English : Chinese;

    public Text Make(string id, TextEncoding encoding, params ReadOnlySpan<string> arguments)
    {
        // The id stays what it is, so that a terminal with its own texts can be more exact than the text of Missing.
        var text = new Text { Id = id };
        foreach (var argument in arguments)
        {
            text.Arguments.Add(argument);
        }

        text.Text_ = Say(id, encoding, arguments);
        return text;
    }

    /// <summary>The bytes alone; empty when the terminal wants none.</summary>
    public ByteString Say(string id, TextEncoding encoding, params ReadOnlySpan<string> arguments)
    {
        var bytes = EncodingOf(encoding);
        if (bytes is null)
        {
            return ByteString.Empty;
        }

        var text = texts.GetValueOrDefault(id, texts[Missing]);
        if (arguments.Length > 0)
        {
            text = text.Replace("{0}", arguments[0], StringComparison.Ordinal);
        }

        while (bytes.GetByteCount(text) > MaxBytes)
        {
            text = text[..^1];
        }

        return UnsafeByteOperations.UnsafeWrap(bytes.GetBytes(text));
    }

    /// <summary>Fen as people read them: 1234 is 12.34.</summary>
    public static string Amount(long fen) => string.Create(CultureInfo.InvariantCulture, $"{fen / 100}.{fen % 100:00}");

    private static Encoding? EncodingOf(TextEncoding encoding) => encoding switch
    {
        TextEncoding.Ascii => Encoding.ASCII,
        TextEncoding.Utf8 => Encoding.UTF8,
        TextEncoding.Gbk => Encoding.GetEncoding(936),
        TextEncoding.Gb18030 => Encoding.GetEncoding(54936),
        _ => null,
    };
}
