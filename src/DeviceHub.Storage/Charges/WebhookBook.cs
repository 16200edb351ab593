using DeviceHub.Core;
using DeviceHub.Core.Charges;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

/// <summary>Where merchants are told of their charges, and what they are still to be told.</summary>
public sealed class WebhookBook : IDisposable
{
    private const string SecretField = "secret";
    private const int MaxFault = 200;

    private readonly HubWrites writes;
    private readonly ReadPool pool;
    private readonly AccountCipher cipher;
    private readonly SemaphoreSlim asked = new(0, 1);

    internal WebhookBook(HubWrites writes, ReadPool pool, IDataProtectionProvider protection) =>
        (this.writes, this.pool, cipher) = (writes, pool, new AccountCipher(protection));

    /// <param name="Body">JSON, as it is sent.</param>
    /// <param name="Tries">Made before.</param>
    public sealed record Waiting(string Id, string MerchantId, byte[] Body, int Tries);

    /// <summary>Something is due now.</summary>
    public void Look()
    {
        try
        {
            asked.Release();
        }
        catch (SemaphoreFullException)
        {
            // It has not looked since it was last told.
        }
    }

    /// <summary>Returns when something is due by <see cref="Look"/>, or the time is over.</summary>
    public async Task Wait(TimeSpan atMost, TimeProvider clock, CancellationToken stop)
    {
        using var over = new CancellationTokenSource(atMost, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stop);
        try
        {
            await asked.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The time is over.
        }
    }

    /// <summary>The row of a merchant's webhook, new or changed, in the caller's transaction.</summary>
    public void Put(HubDbContext db, WebhookRow? row, string merchantId, string url, SecretText? secret, DateTimeOffset now)
    {
        if (row is null)
        {
            row = new WebhookRow { MerchantId = merchantId, Url = url, Secret = [] };
            db.Webhooks.Add(row);
        }

        (row.Url, row.NotBefore) = (url, now);
        if (secret is not null)
        {
            row.Secret = cipher.Seal(Place(merchantId), SecretField, secret);
            row.SecretSetAt = now;
        }
    }

    /// <exception cref="System.Security.Cryptography.CryptographicException">It cannot be opened with the data folder's protection keys.</exception>
    public async Task<(string Url, SecretText Secret)?> Find(string merchantId, CancellationToken stop) =>
        await pool.Query((db, cancel) => db.Webhooks.FirstOrDefaultAsync(h => h.MerchantId == merchantId, cancel), stop).ConfigureAwait(false) is { } row
            ? (row.Url, cipher.Open(Place(merchantId), SecretField, row.Secret))
            : null;

    /// <summary>What is due, one event of each merchant, the longest waiting first; of a merchant whose last try failed nothing for a while.</summary>
    public ValueTask<IReadOnlyList<Waiting>> Due(DateTimeOffset now, int limit) => pool.Read<(DateTimeOffset, int), IReadOnlyList<Waiting>>((now, limit), static (db, q) =>
    {
        // One step into the index a merchant, however much waits for it.
        var rows = db.Prepare(
            """
            SELECT e.id, e.merchant_id, e.body, e.tries FROM webhook w JOIN webhook_event e
              ON e.id = (SELECT f.id FROM webhook_event f WHERE f.merchant_id = w.merchant_id AND f.due_at <= ?1 ORDER BY f.due_at LIMIT 1)
            WHERE w.not_before <= ?1 ORDER BY e.due_at LIMIT ?2
            """)
            .Bind(1, q.Item1).Bind(2, q.Item2);
        var due = new List<Waiting>();
        while (rows.Next())
        {
            due.Add(new Waiting(rows.Text(0), rows.Text(1), rows.Blob(2).ToArray(), (int)rows.Long(3)));
        }

        return due;
    });

    public Task Delivered(string id) => writes.Run((db, stop) => db.WebhookEvents.Where(e => e.Id == id).ExecuteDeleteAsync(stop));

    /// <summary>A try failed: this event is due later, and nothing else is sent to the merchant for a while.</summary>
    /// <param name="due">Null: this event is given up.</param>
    /// <param name="others">When the merchant's others are sent at the earliest.</param>
    /// <param name="forget">Events of the merchant that were made before it and given up are dropped.</param>
    public Task Failed(Waiting waiting, string fault, DateTimeOffset? due, DateTimeOffset others, DateTimeOffset forget) => writes.Run(async (db, stop) =>
    {
        var cut = fault.Length > MaxFault ? fault[..MaxFault] : fault;
        await db.WebhookEvents.Where(e => e.Id == waiting.Id)
            .ExecuteUpdateAsync(e => e.SetProperty(r => r.Tries, waiting.Tries + 1).SetProperty(r => r.DueAt, due).SetProperty(r => r.Fault, cut), stop);
        await db.Webhooks.Where(h => h.MerchantId == waiting.MerchantId).ExecuteUpdateAsync(h => h.SetProperty(r => r.NotBefore, others), stop);
        if (due is null)
        {
            await db.WebhookEvents.Where(e => e.MerchantId == waiting.MerchantId && e.DueAt == null && e.CreatedAt < forget).ExecuteDeleteAsync(stop);
        }
    });

    public void Dispose() => asked.Dispose();

    /// <summary>False: the merchant has no webhook.</summary>
    internal static async Task<bool> Add(HubDbContext db, ChargeNotice notice, CancellationToken stop)
    {
        if (!await db.Webhooks.AnyAsync(h => h.MerchantId == notice.MerchantId, stop))
        {
            return false;
        }

        db.WebhookEvents.Add(new WebhookEventRow { Id = notice.Id, MerchantId = notice.MerchantId, Body = notice.Body, CreatedAt = notice.At, DueAt = notice.At });
        return true;
    }

    private static string Place(string merchantId) => "webhook of " + merchantId;
}
