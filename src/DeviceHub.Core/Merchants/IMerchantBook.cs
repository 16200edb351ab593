using DeviceHub.Core.People;

namespace DeviceHub.Core.Merchants;

/// <summary>Merchants and their stores, for pages and API. What is added is in the audit log, in the same transaction (I12).</summary>
public interface IMerchantBook
{
    /// <summary>By name.</summary>
    /// <param name="search">A part of the name; null: all.</param>
    Task<IReadOnlyList<Merchant>> Merchants(string? search, int skip, int limit, CancellationToken stop);

    /// <summary>By name.</summary>
    Task<IReadOnlyList<Store>> Stores(string? merchantId, string? search, int skip, int limit, CancellationToken stop);

    /// <summary>Null: there is no such store.</summary>
    Task<Store?> Store(string id, CancellationToken stop);

    /// <summary>Null: there is no such merchant.</summary>
    Task<Merchant?> Merchant(string id, CancellationToken stop);

    /// <summary>Names may repeat; the id tells merchants apart.</summary>
    Task<Made<Merchant>> AddMerchant(string name, Actor by, CancellationToken stop);

    /// <summary>The name is the only one of its merchant.</summary>
    Task<Made<Store>> AddStore(string merchantId, string name, Actor by, CancellationToken stop);
}

public sealed record Merchant(string Id, string Name, DateTimeOffset Created);

public sealed record Store(string Id, string MerchantId, string MerchantName, string Name, DateTimeOffset Created);

/// <summary>What was made, or why it was not.</summary>
public sealed record Made<T>(T? Value, NotMade Why = NotMade.None)
    where T : class;

public enum NotMade
{
    None,
    NoSuchMerchant,
    NoSuchStore,
    NameTaken,

    /// <summary><see cref="RecordLimit"/>.</summary>
    TooMany,
}

/// <summary>How many merchants, stores and activation codes there may be, each.</summary>
public sealed record RecordLimit(int Each);
