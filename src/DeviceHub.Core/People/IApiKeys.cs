namespace DeviceHub.Core.People;

/// <summary>A program's key, without the key.</summary>
/// <param name="StartsWith">The key's first characters, by which people tell keys apart.</param>
public sealed record ApiKeyEntry(
    string Id, string StartsWith, string Name, IReadOnlyList<string> Scopes, string? MerchantId, string CreatedBy, DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Revoked);

/// <summary>Why a key was not made.</summary>
public enum ApiKeyFault
{
    /// <summary>1 to 100 characters.</summary>
    Name,

    /// <summary>One or more of <see cref="IApiKeys.Scopes"/>.</summary>
    Scopes,

    /// <summary>A till's key is for nothing else and for one merchant; every other key is for no merchant.</summary>
    Till,

    /// <summary>There is no such merchant.</summary>
    Merchant,

    /// <summary>As many keys as the option Server:MaxRecords.</summary>
    TooMany,
}

/// <param name="Key">The key itself, known to nobody after this; null with a fault.</param>
public sealed record CreatedApiKey(string? Key, ApiKeyEntry? Entry, ApiKeyFault? Fault)
{
    /// <summary>Without the key.</summary>
    public override string ToString() => $"{Entry?.Id} {Fault}";
}

/// <summary>Keys of programs. Each change is in the audit log.</summary>
public interface IApiKeys
{
    /// <summary>What a key may be for, the least first.</summary>
    IReadOnlyList<string> Scopes { get; }

    /// <summary>The newest first.</summary>
    Task<IReadOnlyList<ApiKeyEntry>> List(int skip, int take, CancellationToken stop);

    /// <param name="merchantId">Whose charges a till's key is for; null with every other scope.</param>
    Task<CreatedApiKey> Create(Actor by, string name, IReadOnlyList<string> scopes, DateTimeOffset? expires, string? merchantId, CancellationToken stop);

    /// <summary>False: there is no such key. Ending an ended key changes nothing.</summary>
    Task<bool> Revoke(Actor by, string id, CancellationToken stop);
}
