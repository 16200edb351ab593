namespace DeviceHub.Protocol;

/// <summary>The shapes of names on the wire.</summary>
public static class Names
{
    /// <summary><c>[A-Za-z0-9_-]{4,32}</c>: it is in topics, keys and paths, so nothing else is allowed in it.</summary>
    public static bool IsSerialNumber(ReadOnlySpan<char> text) => text.Length is >= 4 and <= 32 && IsToken(text);

    /// <summary><c>[A-Za-z0-9_-]{8,36}</c></summary>
    public static bool IsRequestId(ReadOnlySpan<char> text) => text.Length is >= 8 and <= 36 && IsToken(text);

    /// <summary><c>[A-Za-z0-9_-]{1,32}</c></summary>
    public static bool IsOrderNumber(ReadOnlySpan<char> text) => text.Length is >= 1 and <= 32 && IsToken(text);

    /// <summary><c>[A-Za-z0-9._:-]{1,64}</c></summary>
    public static bool IsHardwareId(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or ':' or '-'))
            {
                return false;
            }
        }

        return text.Length is >= 1 and <= 64;
    }

    /// <summary>A terminal publishes here, and nowhere else.</summary>
    public static string UpTopic(string serialNumber) => $"dh/v1/{serialNumber}/up";

    /// <summary>A terminal subscribes to this, and to nothing else.</summary>
    public static string DownTopic(string serialNumber) => $"dh/v1/{serialNumber}/down";

    private static bool IsToken(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
            {
                return false;
            }
        }

        return true;
    }
}
