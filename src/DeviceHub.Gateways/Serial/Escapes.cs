using System.Globalization;
using System.Text;

namespace DeviceHub.Gateways.Serial;

/// <summary>ASCII text in options, with control characters as <c>\xHH</c>.</summary>
internal static class Escapes
{
    public static bool TryRead(string text, out string read)
    {
        var result = new StringBuilder();
        read = "";
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsAscii(text[i]))
            {
                return false;
            }

            if (text[i] != '\\')
            {
                result.Append(text[i]);
            }
            else if (i + 3 < text.Length && text[i + 1] == 'x'
                && byte.TryParse(text.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && code < 0x80)
            {
                result.Append((char)code);
                i += 3;
            }
            else
            {
                return false;
            }
        }

        read = result.ToString();
        return true;
    }
}
