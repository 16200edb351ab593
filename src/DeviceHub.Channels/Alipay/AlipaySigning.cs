namespace DeviceHub.Channels.Alipay;

/// <summary>What RSA2 signs: SHA-256 with RSA (<see cref="RsaKey"/>) over a text.</summary>
internal static class AlipaySigning
{
    /// <summary>
    /// What requests and notices are signed over: all parameters but those without a value and <c>sign</c> itself, in the order of their names'
    /// bytes, not encoded. Of a request <c>sign_type</c> stays in; of a notice its caller takes it out.
    /// </summary>
    public static string Content(IEnumerable<KeyValuePair<string, string>> parameters) =>
        string.Join('&', parameters
            .Where(p => p.Value.Length > 0 && p.Key != "sign")
            .OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => $"{p.Key}={p.Value}"));
}
