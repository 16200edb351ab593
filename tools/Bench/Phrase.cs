using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace DeviceHub.Tools.Bench;

/// <summary>
/// A finding in words. The code has its English; <c>Findings.zh-Hans.resx</c> has the Chinese, named by the English with {0}, {1} for what was measured.
/// </summary>
[InterpolatedStringHandler]
internal sealed class Phrase
{
    private readonly StringBuilder format;
    private readonly List<object?> values;

    public Phrase(int literalLength, int formattedCount) => (format, values) = (new(literalLength + (formattedCount * 3)), new(formattedCount));

    private Phrase(string whole) => (format, values) = (new(Escaped(whole)), []);

    public static implicit operator Phrase(string whole) => new(whole);

    public void AppendLiteral(string text) => format.Append(Escaped(text));

    public void AppendFormatted<T>(T value, string? format = null)
    {
        this.format.Append(CultureInfo.InvariantCulture, $"{{{values.Count}}}");
        values.Add(value is IFormattable plain and not Enum ? plain.ToString(format, CultureInfo.InvariantCulture) : value);
    }

    /// <summary>What has no Chinese, as the name of a field, stays as it is.</summary>
    public string In(Texts texts) => string.Format(
        CultureInfo.InvariantCulture,
        texts.Finding(format.ToString()),
        [.. values.Select(v => v switch { Phrase phrase => phrase.In(texts), Enum named => texts.Finding(named.ToString()), _ => v })]);

    public override string ToString() => In(Texts.In("en"));

    private static string Escaped(string text) => text.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
}
