using System.Collections.Concurrent;
using System.Collections.Immutable;
using DeviceHub.Core.Routing;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Merchants;

/// <summary>All accounts in memory. The store fills it at the start and puts every change in after its commit, so keys are changed without a stop.</summary>
public sealed class ChannelAccountBook(IOptions<RoutingOptions> options) : IChannelAccounts
{
    private readonly ConcurrentDictionary<string, ChannelAccount> byId = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ImmutableArray<ChannelAccount>> byMerchant = new(StringComparer.Ordinal);
    private readonly Lock changing = new();

    /// <inheritdoc/>
    /// <remarks>An id that is no account's is a merchant's: it stands for an account at the default channel.</remarks>
    public ChannelAccount? Find(string id) =>
        Known(id) ?? (id.StartsWith(ChannelAccount.IdPrefix, StringComparison.Ordinal) ? null : Default(id, options.Value.DefaultChannel));

    /// <summary>Null: no such account was made.</summary>
    public ChannelAccount? Known(string id) => byId.GetValueOrDefault(id);

    /// <summary>A merchant's accounts, the disabled ones too.</summary>
    public ImmutableArray<ChannelAccount> Of(string merchantId) => byMerchant.GetValueOrDefault(merchantId, []);

    public IEnumerable<ChannelAccount> All => byId.Values;

    /// <summary>Takes an account as it was written; an older version than the known one is left alone.</summary>
    public void Put(ChannelAccount account)
    {
        lock (changing)
        {
            if (Known(account.Id) is { } known && known.Version >= account.Version)
            {
                return;
            }

            byId[account.Id] = account;
            byMerchant[account.MerchantId] = [.. Of(account.MerchantId).Where(a => a.Id != account.Id).Append(account).OrderBy(a => a.Id, StringComparer.Ordinal)];
        }
    }

    /// <summary>Of a merchant without accounts: named like the merchant, at the default channel.</summary>
    public static ChannelAccount Default(string merchantId, string channel) => new() { Id = merchantId, MerchantId = merchantId, Channel = channel };
}
