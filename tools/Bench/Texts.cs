using System.Globalization;
using System.Resources;

namespace DeviceHub.Tools.Bench;

/// <summary>
/// What people see in front of a unit, from Texts.resx (English) and Texts.zh-Hans.resx (Chinese), and findings (<see cref="Phrase"/>). What is wrong with a command line or
/// a plan is English alone.
/// </summary>
internal sealed class Texts(CultureInfo language)
{
    private static readonly ResourceManager Resources = new("DeviceHub.Tools.Bench.Texts", typeof(Texts).Assembly);

    private static readonly ResourceManager Findings = new("DeviceHub.Tools.Bench.Findings", typeof(Texts).Assembly);

    private readonly ResourceSet? findings = language.Name == "zh-Hans" ? Findings.GetResourceSet(language, createIfNotExists: true, tryParents: false) : null;

    public CultureInfo Language => language;

    public string this[string name] => Resources.GetString(name, language) ?? throw new InvalidOperationException($"no text is named '{name}'");

    /// <param name="language"><c>en</c>, <c>zh</c>; null: the machine's.</param>
    public static Texts In(string? language) =>
        new(CultureInfo.GetCultureInfo((language ?? CultureInfo.CurrentUICulture.TwoLetterISOLanguageName) == "zh" ? "zh-Hans" : "en"));

    /// <summary>A finding's sentence in this language; the English itself where there is no other.</summary>
    public string Finding(string english) => findings?.GetString(english) ?? english;

    public string Format(string name, params object[] values) => string.Format(CultureInfo.InvariantCulture, this[name], values);
}
