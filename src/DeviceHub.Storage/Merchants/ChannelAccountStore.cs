using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Routing;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;

namespace DeviceHub.Storage;

/// <summary>Rows of channel accounts. Whoever writes one puts it into the book after the commit.</summary>
public sealed class ChannelAccountStore
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly AccountCipher cipher;

    public ChannelAccountStore(IDataProtectionProvider protection) => cipher = new AccountCipher(protection);

    /// <summary>Adds the row of a new account, or changes the one that was read in the same transaction.</summary>
    public void Put(HubDbContext db, ChannelAccount account, DateTimeOffset now, ChannelAccountRow? row = null)
    {
        if (row is null)
        {
            row = new ChannelAccountRow
            {
                Id = account.Id, MerchantId = account.MerchantId, Channel = account.Channel, Name = "", Terms = "", Settings = "", Secrets = "", Created = now,
            };
            db.ChannelAccounts.Add(row);
        }

        row.Name = account.Terms.Name;
        row.Terms = JsonSerializer.Serialize(account.Terms, Json);
        row.Settings = JsonSerializer.Serialize(account.Settings, Json);
        row.Secrets = JsonSerializer.Serialize(
            account.Secrets.ToDictionary(s => s.Key, s => new Kept(cipher.Seal(account.Id, s.Key, s.Value), account.SecretsSince[s.Key])), Json);
        row.Changed = now;
        row.Version = account.Version;
    }

    /// <exception cref="CryptographicException">A secret cannot be opened with the data folder's protection keys.</exception>
    public ChannelAccount Read(ChannelAccountRow row)
    {
        var secrets = JsonSerializer.Deserialize<Dictionary<string, Kept>>(row.Secrets, Json)!;
        return new()
        {
            Id = row.Id,
            MerchantId = row.MerchantId,
            Channel = row.Channel,
            Terms = JsonSerializer.Deserialize<AccountTerms>(row.Terms, Json)!,
            Settings = JsonSerializer.Deserialize<Dictionary<string, string>>(row.Settings, Json)!,
            Secrets = secrets.ToDictionary(s => s.Key, s => cipher.Open(row.Id, s.Key, s.Value.Sealed)),
            SecretsSince = secrets.ToDictionary(s => s.Key, s => s.Value.Since),
            Version = row.Version,
        };
    }

    private sealed record Kept(byte[] Sealed, DateTimeOffset Since);
}

/// <summary>
/// Before a payment can come: fills the book of accounts, and tells the routing core what each account has taken today.
/// </summary>
internal sealed class ChannelAccountLoader(
    ChannelAccountStore store, ChannelAccountBook book, RoutingCore routing, ReadPool pool, DayTotals totals, TimeProvider clock) : IHostedService
{
    private const int Batch = 500;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        List<ChannelAccountRow> rows;
        var read = 0;
        do
        {
            rows = await pool.Query((db, stop) => db.ChannelAccounts.OrderBy(a => a.Id).Skip(read).Take(Batch).ToListAsync(stop), cancellationToken);
            foreach (var row in rows)
            {
                book.Put(Read(row));
            }

            read += rows.Count;
        }
        while (rows.Count == Batch);

        // Also without a limit: people see what was taken, and a limit that is set in the afternoon counts the morning.
        if (book.All.Any())
        {
            await Restore(cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private ChannelAccount Read(ChannelAccountRow row)
    {
        try
        {
            return store.Read(row);
        }
        catch (CryptographicException e)
        {
            throw new InvalidOperationException($"channel account {row.Id} has secrets that cannot be opened: the protection keys in the data folder are not those that sealed them", e);
        }
    }

    private async Task Restore(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        foreach (var zone in book.All.GroupBy(a => a.Terms.Zone.Id))
        {
            var terms = zone.First().Terms;
            var day = terms.DayOf(now);
            var midnight = day.ToDateTime(TimeOnly.MinValue);
            var since = new DateTimeOffset(midnight, terms.Zone.GetUtcOffset(midnight));
            var taken = await totals.Since(since, cancellationToken);
            foreach (var account in zone.Where(a => taken.ContainsKey(a.Id)))
            {
                routing.Restore(account.Id, day, taken[account.Id]);
            }
        }

        if (book.All.Any(a => a.Terms.DayLimitFen is not null))
        {
            await totals.UnderWay(
                (account, payment, fen) =>
                {
                    if (book.Known(account) is { Terms.DayLimitFen: not null })
                    {
                        routing.Resume(account, payment, fen);
                    }
                },
                cancellationToken);
        }
    }
}
