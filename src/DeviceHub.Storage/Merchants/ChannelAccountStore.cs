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

    /// <summary>Of one read: a day may have more payments than any read has time for.</summary>
    private const int PaymentsARead = 10_000;

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
            var taken = await Taken(since, cancellationToken);
            foreach (var account in zone.Where(a => taken.ContainsKey(a.Id)))
            {
                routing.Restore(account.Id, day, taken[account.Id]);
            }
        }
    }

    /// <summary>What each account was paid since a time.</summary>
    private async Task<Dictionary<string, long>> Taken(DateTimeOffset since, CancellationToken cancellationToken)
    {
        var taken = new Dictionary<string, long>(StringComparer.Ordinal);
        (DateTimeOffset At, long Seq)? position = (since, 0);
        while (position is { } after)
        {
            cancellationToken.ThrowIfCancellationRequested();
            position = await pool.Read((after, taken), Add);
        }

        return taken;
    }

    /// <summary>Where it ended; null: nothing was left.</summary>
    private static (DateTimeOffset At, long Seq)? Add(PreparedConnection db, ((DateTimeOffset At, long Seq) After, Dictionary<string, long> Into) x)
    {
        (DateTimeOffset, long)? last = null;
        var rows = db.Prepare(
            """
            SELECT accepted_at, seq, channel_account, amount_fen FROM payment
            WHERE result = ?1 AND (accepted_at, seq) > (?2, ?3) AND channel_account IS NOT NULL ORDER BY accepted_at, seq LIMIT ?4
            """)
            .Bind(1, (long)PaymentResult.Approved).Bind(2, x.After.At).Bind(3, x.After.Seq).Bind(4, PaymentsARead);
        while (rows.Next())
        {
            last = (rows.Time(0), rows.Long(1));
            var account = rows.Text(2);
            x.Into[account] = x.Into.GetValueOrDefault(account) + rows.Long(3);
        }

        return last;
    }

    [LoggerMessage(EventName = "DayTotalsBehind", Level = LogLevel.Warning, Message = "What accounts have taken today lacks {Behind} ledger rows that are not searchable yet; a day limit may be passed by as much")]
    private partial void LogBehind(long behind);
}
