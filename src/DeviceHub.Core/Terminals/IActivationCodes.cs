using DeviceHub.Core.Merchants;
using DeviceHub.Core.People;

namespace DeviceHub.Core.Terminals;

/// <summary>Activation codes for pages and API. What people do to them is in the audit log, in the same transaction (I12).</summary>
public interface IActivationCodes
{
    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<ActivationCodeSummary>> Find(ActivationCodeFilter filter, int skip, int limit, CancellationToken stop);

    /// <summary>Makes a code. The code itself is in this answer and nowhere else.</summary>
    /// <param name="uses">1 to <see cref="ActivationCodeRules.MaxUses"/>.</param>
    /// <param name="validFor">Above 0, to <see cref="ActivationCodeRules.MaxValid"/>.</param>
    Task<Made<NewActivationCode>> Create(string storeId, string model, int uses, TimeSpan validFor, Actor by, CancellationToken stop);

    /// <summary>Makes it valid from now for so long, and for so many more terminals; null leaves what it is. One that has ended is open again.</summary>
    /// <param name="validFor">As <see cref="Create"/> has it; an expiry is never moved nearer.</param>
    /// <param name="moreUses">All together are at most <see cref="ActivationCodeRules.MaxUses"/>.</param>
    Task<Extended> Extend(string id, TimeSpan? validFor, int? moreUses, Actor by, CancellationToken stop);

    /// <summary>Ends a code; what it has activated stays active. False: there is none.</summary>
    Task<bool> Revoke(string id, Actor by, CancellationToken stop);
}

public static class ActivationCodeRules
{
    public const int MaxUses = 1000;
    public const int MaxModel = 32;

    /// <summary>Terminals that a summary of a code names; the list of its store's terminals has all.</summary>
    public const int MaxNamed = 20;

    public static readonly TimeSpan MaxValid = TimeSpan.FromDays(365);
    public static readonly TimeSpan UsualValid = TimeSpan.FromDays(7);
}

/// <summary>What codes are looked for; null: whatever it is.</summary>
/// <param name="Text">A part of the store's or merchant's name, or the code's last four characters.</param>
public sealed record ActivationCodeFilter(string? StoreId = null, ActivationCodeState? State = null, string? Text = null);

public enum ActivationCodeState
{
    Open,
    UsedUp,
    Expired,
    Revoked,
}

/// <param name="Hint">The code's last four characters.</param>
/// <param name="UsedBy">By the time of the first use, at most <see cref="ActivationCodeRules.MaxNamed"/> of them.</param>
public sealed record ActivationCodeSummary(
    string Id, string Hint, string StoreId, string StoreName, string MerchantId, string MerchantName, string Model, int MaxUses, DateTimeOffset Expires, DateTimeOffset? Revoked,
    string CreatedBy, DateTimeOffset CreatedAt, ActivationCodeState State, int Used, IReadOnlyList<ActivationUse> UsedBy)
{
    public int UsesLeft => Math.Max(0, MaxUses - Used);
}

/// <param name="ConsumedAt">The terminal's first login with its key; null: it was offered one and has not come back.</param>
public sealed record ActivationUse(string SerialNumber, DateTimeOffset ReservedAt, DateTimeOffset? ConsumedAt);

public sealed record NewActivationCode(string Id, ActivationCode Code, string StoreId, string Model, int MaxUses, DateTimeOffset Expires);

public enum Extended
{
    Done,
    NotFound,
    Revoked,

    /// <summary>More than <see cref="ActivationCodeRules.MaxUses"/> together.</summary>
    TooManyUses,
}
