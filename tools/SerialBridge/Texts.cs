using System.Globalization;
using System.Resources;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>The bridge's words, from Texts.resx (English) and Texts.zh-Hans.resx (Chinese).</summary>
internal sealed class Texts(CultureInfo language)
{
    private static readonly ResourceManager Resources = new("DeviceHub.Tools.SerialBridge.Texts", typeof(Texts).Assembly);

    public string this[string name] => Resources.GetString(name, language) ?? throw new InvalidOperationException($"no text is named '{name}'");

    public string Format(string name, params object[] values) => string.Format(CultureInfo.InvariantCulture, this[name], values);
}
