using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

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
/// Before a payment can come: fills the book of accounts, and tells the routing core what each account has taken today. That is read from
/// the searchable payments, which are waited for a while when they are behind.
/// </summary>
internal sealed partial class ChannelAccountLoader(
    ChannelAccountStore store, ChannelAccountBook book, RoutingCore routing, ReadPool pool, TimeProvider clock, ILogger<ChannelAccountLoader> logger) : IHostedService
{
    private const int Batch = 500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

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

        if (book.All.Any(a => a.Terms.DayLimitFen is not null))
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
        var from = clock.GetTimestamp();
        while (await pool.Query((db, stop) => db.PaymentsBehind(stop), cancellationToken) is > 0 and var behind)
        {
            if (clock.GetElapsedTime(from) > Patience)
            {
                LogBehind(behind);
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), clock, cancellationToken);
        }

        var now = clock.GetUtcNow();
        foreach (var zone in book.All.GroupBy(a => a.Terms.Zone.Id))
        {
            var terms = zone.First().Terms;
            var day = terms.DayOf(now);
            var midnight = day.ToDateTime(TimeOnly.MinValue);
            var since = new DateTimeOffset(midnight, terms.Zone.GetUtcOffset(midnight));
            var taken = await pool.Query(
                (db, stop) => db.Payments.Where(p => p.AcceptedAt >= since && p.Result == PaymentResult.Approved && p.ChannelAccount != null)
                    .GroupBy(p => p.ChannelAccount!).Select(g => new { Account = g.Key, Fen = g.Sum(p => p.AmountFen) }).ToListAsync(stop),
                cancellationToken);
            foreach (var account in zone.Select(a => a.Id).Intersect(taken.Select(t => t.Account)))
            {
                routing.Restore(account, day, taken.First(t => t.Account == account).Fen);
            }
        }
    }

    [LoggerMessage(EventName = "DayTotalsBehind", Level = LogLevel.Warning, Message = "What accounts have taken today lacks {Behind} ledger rows that are not searchable yet; a day limit may be passed by as much")]
    private partial void LogBehind(long behind);
}
