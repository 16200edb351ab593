using System.Globalization;
using System.Resources;

namespace DeviceHub.Server;

/// <summary>The words of the start and of reports, from Texts.resx (English) and Texts.zh-Hans.resx (Chinese).</summary>
internal static class Texts
{
    public static readonly CultureInfo English = CultureInfo.GetCultureInfo("en");
    public static readonly CultureInfo Chinese = CultureInfo.GetCultureInfo("zh-Hans");

    private static readonly ResourceManager Resources = new("DeviceHub.Server.Texts", typeof(Texts).Assembly);

    public static string Get(string name, CultureInfo? culture = null) =>
        Resources.GetString(name, culture ?? CultureInfo.CurrentUICulture) ?? throw new InvalidOperationException($"no text is named '{name}'");
}
