using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DeviceHub.Core.Configuration;

/// <summary>One typed entry of a configuration. Exactly one of the three values counts, by <see cref="Type"/>.</summary>
/// <param name="Type"><c>f</c>: flag, <c>n</c>: number, <c>t</c>: text; the byte that is hashed.</param>
public readonly record struct ConfigurationEntry(string Key, char Type, bool Flag, long Number, string Text);

/// <summary>
/// A configuration as people write it (a JSON object; nested objects are flattened with dots) and as terminals get it (typed
/// entries, sorted by key). Limits: 16 KiB of JSON, 200 entries, keys <c>[a-z0-9_.]{1,48}</c>, texts of 200 bytes.
/// </summary>
public sealed class ConfigurationDocument
{
    public const int MaxBytes = 16 * 1024;
    public const int MaxEntries = 200;
    public const int MaxKeyLength = 48;
    public const int MaxTextBytes = 200;

    /// <summary>
    /// Of a text as ASCII JSON, where every character beyond ASCII takes six: an entry fits the smallest terminal's 512 bytes then.
    /// </summary>
    public const int MaxTextInJson = 320;

    private const int MaxDepth = 8;

    private ConfigurationDocument(IReadOnlyList<ConfigurationEntry> entries)
    {
        Entries = entries;
        Hash = HashOf(entries);
    }

    /// <summary>Sorted by key, ordinal.</summary>
    public IReadOnlyList<ConfigurationEntry> Entries { get; }

    /// <summary>SHA-256 over the entries; the terminal computes the same before it applies them.</summary>
    public byte[] Hash { get; }

    /// <summary>Reads a document. Null with an <paramref name="error"/> that names the key and what to do.</summary>
    public static ConfigurationDocument? TryParse(string json, out string? error)
    {
        if (Encoding.UTF8.GetByteCount(json) > MaxBytes)
        {
            error = $"the document is larger than {MaxBytes} bytes";
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                error = "a configuration is a JSON object";
                return null;
            }

            var entries = new SortedDictionary<string, ConfigurationEntry>(StringComparer.Ordinal);
            error = Flatten(document.RootElement, "", entries);
            return error is null ? new ConfigurationDocument([.. entries.Values]) : null;
        }
        catch (JsonException e)
        {
            error = $"not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine}, or deeper than {MaxDepth} objects, or a key given twice";
            return null;
        }
    }

    private static string? Flatten(JsonElement element, string prefix, SortedDictionary<string, ConfigurationEntry> entries)
    {
        foreach (var property in element.EnumerateObject())
        {
            var key = prefix + property.Name;
            if (!IsKey(key))
            {
                return $"'{Shown(key)}': a key is 1 to {MaxKeyLength} of a-z 0-9 _ and . (nested objects add theirs with a dot)";
            }

            var error = property.Value.ValueKind == JsonValueKind.Object
                ? Flatten(property.Value, key + ".", entries)
                : Add(key, property.Value, entries);
            if (error is not null)
            {
                return error;
            }
        }

        return null;
    }

    private static string? Add(string key, JsonElement value, SortedDictionary<string, ConfigurationEntry> entries)
    {
        ConfigurationEntry entry;
        switch (value.ValueKind)
        {
            case JsonValueKind.True or JsonValueKind.False:
                entry = new(key, 'f', value.GetBoolean(), 0, "");
                break;
            case JsonValueKind.Number when value.TryGetInt64(out var number):
                entry = new(key, 'n', false, number, "");
                break;
            case JsonValueKind.String when TryText(value, out var text):
                entry = new(key, 't', false, 0, text);
                break;
            case JsonValueKind.String:
                return $"'{key}': a text is at most {MaxTextBytes} bytes of valid UTF-8, and {MaxTextInJson} as ASCII JSON, without U+0000";
            default:
                return $"'{key}': a value is true, false, a whole number of 64 bits, or a text";
        }

        if (!entries.TryAdd(key, entry))
        {
            return $"'{key}' is given twice";
        }

        return entries.Count > MaxEntries ? $"'{key}': more than {MaxEntries} entries" : null;
    }

    private static bool TryText(JsonElement value, out string text)
    {
        try
        {
            text = value.GetString()!;
            return Encoding.UTF8.GetByteCount(text) <= MaxTextBytes && InJson(text) <= MaxTextInJson && !text.Contains('\0', StringComparison.Ordinal);
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate cannot be a .NET string of valid UTF-8.
            text = "";
            return false;
        }
    }

    private static int InJson(string text)
    {
        var length = 0;
        foreach (var c in text)
        {
            length += c switch { '"' or '\\' => 2, '<' or '>' => 6, >= ' ' and <= '~' => 1, _ => 6 };
        }

        return length;
    }

    private static bool IsKey(string key)
    {
        if (key.Length is 0 or > MaxKeyLength)
        {
            return false;
        }

        foreach (var c in key)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '.'))
            {
                return false;
            }
        }

        return true;
    }

    private static string Shown(string key) => key.Length <= 64 ? key : key[..64] + "...";

    private static byte[] HashOf(IReadOnlyList<ConfigurationEntry> entries)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> buffer = stackalloc byte[MaxKeyLength + 2 + MaxTextBytes + 1];
        foreach (var entry in entries)
        {
            var length = Encoding.UTF8.GetBytes(entry.Key, buffer);
            buffer[length++] = 0;
            buffer[length++] = (byte)entry.Type;
            if (entry.Type == 'f')
            {
                buffer[length++] = (byte)(entry.Flag ? '1' : '0');
            }
            else if (entry.Type == 'n')
            {
                entry.Number.TryFormat(buffer[length..], out var digits, default, CultureInfo.InvariantCulture);
                length += digits;
            }
            else
            {
                length += Encoding.UTF8.GetBytes(entry.Text, buffer[length..]);
            }

            buffer[length++] = (byte)'\n';
            hash.AppendData(buffer[..length]);
        }

        return hash.GetHashAndReset();
    }
}
