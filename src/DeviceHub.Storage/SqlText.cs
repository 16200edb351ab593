namespace DeviceHub.Storage;

/// <summary>Words of people as parts of SQL's patterns.</summary>
internal static class SqlText
{
    public const string Escape = "\\";

    /// <summary>A pattern of LIKE that finds the word anywhere; its own wildcards are plain characters.</summary>
    public static string Like(string word) =>
        "%" + word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal) + "%";
}
