using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

/// <summary>Keeps what a channel itself gave out for an account.</summary>
/// <param name="channels">Asked for late: a channel may hold a keeper.</param>
internal sealed class ChannelAccountKeeper(
    ChannelAccountStore store, ChannelAccountBook book, HubWrites writes, Func<PaymentChannels> channels, TimeProvider clock) : IAccountKeeper
{
    public async Task<bool> Keep(ChannelAccount account, IReadOnlyDictionary<string, SecretText> fields, CancellationToken cancellationToken)
    {
        var secret = channels().Find(account.Channel).AccountFields.ToDictionary(f => f.Name, f => f.IsSecret);
        var now = clock.GetUtcNow();
        var kept = await writes.Run(
            async (db, cancel) =>
            {
                if (await db.ChannelAccounts.FirstOrDefaultAsync(a => a.Id == account.Id && a.Version == account.Version, cancel) is not { } row)
                {
                    return null;
                }

                var changed = store.Read(row).With(
                    fields.ToDictionary(f => f.Key, f => (string?)f.Value.Reveal()), name => secret[name], now);
                store.Put(db, changed, now, row);
                db.Audit.Add(new AuditRow { At = now, Who = "system", What = "channel-account.keep", Subject = "channel-account:" + account.Id, After = Names(fields.Keys) });
                await db.SaveChangesAsync(cancel);
                return changed;
            },
            cancellationToken);
        if (kept is not null)
        {
            book.Put(kept);
        }

        return kept is not null;
    }

    private static string Names(IEnumerable<string> fields) => System.Text.Json.JsonSerializer.Serialize(new { changed = fields });
}
