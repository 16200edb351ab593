using System.Text;
using System.Text.Json;

namespace DeviceHub.Core.Configuration;

public enum ConfigurationFaultKind
{
    TooLarge,
    NotJson,
    NotAnObject,
    Key,
    Twice,
    Text,
    Value,
    TooMany,
}

/// <summary>What is wrong with a document, and where.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Key">With its dots; empty: the fault is not of one key.</param>
public sealed record ConfigurationFault(int Line, ConfigurationFaultKind Kind, string Key)
{
    /// <summary>What is wrong and what would be right, in English.</summary>
    public string Detail => Kind switch
    {
        ConfigurationFaultKind.TooLarge => $"the document is larger than {ConfigurationDocument.MaxBytes} bytes",
        ConfigurationFaultKind.NotJson => $"not valid JSON at line {Line}, or deeper than {ConfigurationDocument.MaxDepth} objects",
        ConfigurationFaultKind.NotAnObject => "a configuration is a JSON object",
        ConfigurationFaultKind.Key => $"'{Key}': a key is 1 to {ConfigurationDocument.MaxKeyLength} of a-z 0-9 _ and . (nested objects add theirs with a dot)",
        ConfigurationFaultKind.Twice => $"'{Key}' is given twice",
        ConfigurationFaultKind.Text =>
            $"'{Key}': a text is at most {ConfigurationDocument.MaxTextBytes} bytes of valid UTF-8, and {ConfigurationDocument.MaxTextInJson} as ASCII JSON, without U+0000",
        ConfigurationFaultKind.Value => $"'{Key}': a value is true, false, a whole number of 64 bits, or a text",
        _ => $"more than {ConfigurationDocument.MaxEntries} entries",
    };
}

/// <summary>On which line each key of a document stands.</summary>
internal static class ConfigurationLines
{
    /// <param name="faults">A key that stands twice in one object is added.</param>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static Dictionary<string, int> Of(string json, int maxDepth, List<ConfigurationFault> faults)
    {
        var utf8 = Encoding.UTF8.GetBytes(json);
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth });
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        var prefixes = new Stack<(string Prefix, HashSet<string> Seen)>();
        var (line, at, key) = (1, 0, "");
        while (reader.Read())
        {
            line += utf8.AsSpan(at, (int)reader.TokenStartIndex - at).Count((byte)'\n');
            at = (int)reader.TokenStartIndex;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    prefixes.Push((key.Length == 0 ? "" : key + ".", new(StringComparer.Ordinal)));
                    break;
                case JsonTokenType.EndObject:
                    prefixes.Pop();
                    break;
                case JsonTokenType.PropertyName:
                    var (prefix, seen) = prefixes.Peek();
                    var name = Name(ref reader);
                    key = prefix + name;
                    lines[key] = line;
                    if (!seen.Add(name))
                    {
                        faults.Add(new(line, ConfigurationFaultKind.Twice, ConfigurationDocument.Shown(key)));
                    }

                    break;
            }
        }

        return lines;
    }

    private static string Name(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: the same exception would leave the document's own reader.
            throw new JsonException("a key is no text", null, 0, null);
        }
    }
}
