using System.Globalization;
using System.Resources;

namespace DeviceHub.Tools.Bench;

/// <summary>What operators see, from Texts.resx (English) and Texts.zh-Hans.resx (Chinese). What engineers read is English alone.</summary>
internal sealed class Texts(CultureInfo language)
{
    private static readonly ResourceManager Resources = new("DeviceHub.Tools.Bench.Texts", typeof(Texts).Assembly);

    public CultureInfo Language => language;

    public string this[string name] => Resources.GetString(name, language) ?? throw new InvalidOperationException($"no text is named '{name}'");

    /// <param name="language"><c>en</c>, <c>zh</c>; null: the machine's.</param>
    public static Texts In(string? language) =>
        new(CultureInfo.GetCultureInfo((language ?? CultureInfo.CurrentUICulture.TwoLetterISOLanguageName) == "zh" ? "zh-Hans" : "en"));

    public string Format(string name, params object[] values) => string.Format(CultureInfo.InvariantCulture, this[name], values);
}
