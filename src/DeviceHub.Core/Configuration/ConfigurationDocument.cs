using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DeviceHub.Core.Configuration;

/// <summary>One typed entry of a configuration. Exactly one of the three values counts, by <see cref="Type"/>.</summary>
/// <param name="Type"><c>f</c>: flag, <c>n</c>: number, <c>t</c>: text; the byte that is hashed.</param>
public readonly record struct ConfigurationEntry(string Key, char Type, bool Flag, long Number, string Text)
{
    /// <summary>As JSON has it.</summary>
    public string Value => Type switch
    {
        'f' => Flag ? "true" : "false",
        'n' => Number.ToString(CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(Text, Readable),
    };

    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

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

    public const int MaxDepth = 8;

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
        var document = Read(json, out var faults);
        error = faults.Count == 0 ? null : faults[0].Detail;
        return document;
    }

    /// <summary>Reads a document. Null with all that is wrong with it, by line.</summary>
    public static ConfigurationDocument? Read(string json, out IReadOnlyList<ConfigurationFault> faults)
    {
        if (Encoding.UTF8.GetByteCount(json) > MaxBytes)
        {
            faults = [new(1, ConfigurationFaultKind.TooLarge, "")];
            return null;
        }

        var found = new List<ConfigurationFault>();
        faults = found;
        try
        {
            var lines = ConfigurationLines.Of(json, MaxDepth, found);
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                found.Add(new(1, ConfigurationFaultKind.NotAnObject, ""));
                return null;
            }

            var entries = new SortedDictionary<string, ConfigurationEntry>(StringComparer.Ordinal);
            Flatten(document.RootElement, "", entries, lines, found);
            if (entries.Count > MaxEntries)
            {
                found.Add(new(1, ConfigurationFaultKind.TooMany, ""));
            }

            found.Sort((a, b) => a.Line.CompareTo(b.Line));
            return found.Count == 0 ? new ConfigurationDocument([.. entries.Values]) : null;
        }
        catch (JsonException e)
        {
            found.Clear();
            found.Add(new((int)(e.LineNumber ?? 0) + 1, ConfigurationFaultKind.NotJson, ""));
            return null;
        }
    }

    private static void Flatten(
        JsonElement element, string prefix, SortedDictionary<string, ConfigurationEntry> entries, Dictionary<string, int> lines, List<ConfigurationFault> faults)
    {
        foreach (var property in element.EnumerateObject())
        {
            var key = prefix + property.Name;
            if (!IsKey(key))
            {
                Fault(ConfigurationFaultKind.Key);
            }
            else if (property.Value.ValueKind == JsonValueKind.Object)
            {
                Flatten(property.Value, key + ".", entries, lines, faults);
            }
            else if (ValueFault(key, property.Value, out var entry) is { } fault)
            {
                Fault(fault);
            }
            else if (!entries.TryAdd(key, entry) && !faults.Exists(f => f.Kind == ConfigurationFaultKind.Twice && f.Key == Shown(key)))
            {
                Fault(ConfigurationFaultKind.Twice);
            }

            void Fault(ConfigurationFaultKind kind) => faults.Add(new(lines.GetValueOrDefault(key, 1), kind, Shown(key)));
        }
    }

    private static ConfigurationFaultKind? ValueFault(string key, JsonElement value, out ConfigurationEntry entry)
    {
        entry = default;
        switch (value.ValueKind)
        {
            case JsonValueKind.True or JsonValueKind.False:
                entry = new(key, 'f', value.GetBoolean(), 0, "");
                return null;
            case JsonValueKind.Number when value.TryGetInt64(out var number):
                entry = new(key, 'n', false, number, "");
                return null;
            case JsonValueKind.String when TryText(value, out var text):
                entry = new(key, 't', false, 0, text);
                return null;
            default:
                return value.ValueKind == JsonValueKind.String ? ConfigurationFaultKind.Text : ConfigurationFaultKind.Value;
        }
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

    internal static string Shown(string key) => key.Length <= 64 ? key : key[..64] + "...";

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
