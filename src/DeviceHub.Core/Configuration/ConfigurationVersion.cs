using System.Text.Json;
using DeviceHub.Core.People;

namespace DeviceHub.Core.Configuration;

/// <summary>A configuration that somebody set once.</summary>
/// <param name="Json">The document as it was written.</param>
public sealed record ConfigurationVersion(long Version, DateTimeOffset At, string Who, string Json)
{
    /// <summary>The audit log's word for it.</summary>
    public const string What = "terminal.configuration";

    /// <summary>What an audit row of <see cref="What"/> says was set; null: it says nothing of the kind.</summary>
    public static ConfigurationVersion? Read(AuditEntry entry)
    {
        if (entry.What != What || entry.After is null)
        {
            return null;
        }

        using var after = JsonDocument.Parse(entry.After);
        return after.RootElement.TryGetProperty("version", out var version) && after.RootElement.TryGetProperty("document", out var document)
            && document.ValueKind == JsonValueKind.Object
            ? new(version.GetInt64(), entry.At, entry.Who, JsonSerializer.Serialize(document, Indented))
            : null;
    }

    /// <summary>A document for people to read and change.</summary>
    public static string Indent(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, Indented);
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
