using DeviceHub.Core.Payments;

namespace DeviceHub.Storage;

/// <summary>Parts of SQL statements that more than one has.</summary>
internal static class SqlText
{
    public const string Escape = "\\";

    /// <summary>A condition of payments that are no tests (<see cref="PaymentId.IsTest"/>), by their request id.</summary>
    public const string NoTest = $"request_id NOT GLOB '{PaymentId.TestPrefix}*'";

    /// <summary>A condition of payments whose terminal did not say that it has shown the outcome (<see cref="PaymentState.IsShown"/>); the condition of the index, word for word.</summary>
    public const string NotShown = $"revision > shown_revision AND {NoTest}";

    /// <summary>A pattern of LIKE that finds the word anywhere; its own wildcards are plain characters.</summary>
    public static string Like(string word) =>
        "%" + word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal) + "%";
}
