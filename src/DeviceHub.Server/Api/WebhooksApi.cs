using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Webhooks;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>Where merchants are told of their charges. The secret goes in and never comes out.</summary>
internal static class WebhooksApi
{
    private const int MaxUrl = 256;

    /// <param name="Secret">32 to 128 printable characters without spaces; may be left out when one is set.</param>
    internal sealed record NewWebhook(string? Url, string? Secret);

    /// <param name="Waiting">Events that are still to be told.</param>
    /// <param name="GivenUp">Events whose tries were used up.</param>
    /// <param name="Fault">Of the newest event that could not be told.</param>
    internal sealed record Webhook(string MerchantId, string Url, DateTimeOffset SecretSetAt, long Waiting, long GivenUp, string? Fault);

    public static void MapWebhooks(this RouteGroupBuilder api)
    {
        api.MapGet("/merchants/{merchantId}/webhook", Get).Produces<Webhook>().ProducesProblem(404).WithSummary("Where a merchant is told of its charges, and how that goes");
        api.MapPut("/merchants/{merchantId}/webhook", Put).RequireAuthorization(Policies.Own).Produces<Webhook>().ProducesValidationProblem().ProducesProblem(404)
            .WithSummary("Has a merchant told of every charge that ends")
            .WithDescription(
                "url: https, or http on loopback; its host is one of the hub's option Webhooks:AllowedHosts. Each event is a POST of {id, at, type, charge}, sent until the "
                + "answer is 2xx, at least once, in the order of their ends while nothing fails. DeviceHub-Event-Id is the event's id, the same in every try. "
                + "DeviceHub-Signature: t=SECONDS,v1=HEX is HMAC-SHA256 under the secret of SECONDS, a dot and the body: check it, and that SECONDS is now.");
        api.MapDelete("/merchants/{merchantId}/webhook", Delete).RequireAuthorization(Policies.Own).Produces(204).ProducesProblem(404)
            .WithSummary("Ends a merchant's webhook; what it was not told is dropped");
        api.MapPost("/merchants/{merchantId}/webhook/retry", Retry).RequireAuthorization(Policies.Operate).Produces<Webhook>(202).ProducesProblem(404)
            .WithSummary("Tells everything that was given up again, from now on");
    }

    private static async Task<IResult> Get(string merchantId, HubReads reads, CancellationToken stop) =>
        await reads.Run((db, cancel) => Read(db, merchantId, cancel), stop) is { } hook ? Results.Ok(hook) : Missing(merchantId);

    private static async Task<IResult> Put(
        string merchantId, NewWebhook body, HubWrites writes, WebhookBook book, AuditTrail audit, TimeProvider clock, IOptions<WebhookOptions> options, CancellationToken stop)
    {
        var check = new FieldCheck();
        var url = check.Text(body.Url, "url", MaxUrl);
        var fault = ChannelAddress.OfAccount(url, "Webhooks:AllowedHosts", options.Value.AllowedHosts).Fault;
        check.That(fault is null, "url", fault ?? "");
        check.That(
            body.Secret is null || (body.Secret.Length is >= 32 and <= 128 && body.Secret.All(c => c is >= '!' and <= '~')), "secret", "32 to 128 printable characters without spaces");
        if (check.Problem is { } refused)
        {
            return refused;
        }

        return await writes.Run(
            async (db, cancel) =>
            {
                if (!await db.Merchants.AnyAsync(m => m.Id == merchantId, cancel))
                {
                    return Problems.NotFound("merchant " + merchantId);
                }

                var row = await db.Webhooks.FirstOrDefaultAsync(h => h.MerchantId == merchantId, cancel);
                if (row is null && body.Secret is null)
                {
                    return Problems.Field("secret", "is needed: none is set");
                }

                var before = row is null ? null : new { row.Url, row.SecretSetAt };
                book.Put(db, row, merchantId, url, body.Secret is null ? null : new SecretText(body.Secret), clock.GetUtcNow());
                db.Audit.Add(audit.Row("webhook.set", "merchant:" + merchantId, before, new { Url = url, SecretChanged = body.Secret is not null }));
                await db.SaveChangesAsync(cancel);
                return Results.Ok(await Read(db, merchantId, cancel));
            },
            stop);
    }

    private static Task<IResult> Delete(string merchantId, HubWrites writes, AuditTrail audit, CancellationToken stop) => writes.Run(
        async (db, cancel) =>
        {
            if (await db.Webhooks.FirstOrDefaultAsync(h => h.MerchantId == merchantId, cancel) is not { } row)
            {
                return Missing(merchantId);
            }

            var dropped = await db.WebhookEvents.Where(e => e.MerchantId == merchantId).ExecuteDeleteAsync(cancel);
            db.Webhooks.Remove(row);
            db.Audit.Add(audit.Row("webhook.end", "merchant:" + merchantId, new { row.Url }, new { dropped }));
            await db.SaveChangesAsync(cancel);
            return Results.NoContent();
        },
        stop);

    private static async Task<IResult> Retry(string merchantId, HubWrites writes, WebhookBook book, AuditTrail audit, TimeProvider clock, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var answer = await writes.Run(
            async (db, cancel) =>
            {
                if (!await db.Webhooks.AnyAsync(h => h.MerchantId == merchantId, cancel))
                {
                    return Missing(merchantId);
                }

                var again = await db.WebhookEvents.Where(e => e.MerchantId == merchantId && e.DueAt == null)
                    .ExecuteUpdateAsync(e => e.SetProperty(r => r.DueAt, now).SetProperty(r => r.Tries, 0), cancel);
                db.Audit.Add(audit.Row("webhook.retry", "merchant:" + merchantId, null, new { again }));
                await db.SaveChangesAsync(cancel);
                return Results.Accepted((string?)null, await Read(db, merchantId, cancel));
            },
            stop);
        book.Look();
        return answer;
    }

    private static async Task<Webhook?> Read(HubDbContext db, string merchantId, CancellationToken stop)
    {
        if (await db.Webhooks.FirstOrDefaultAsync(h => h.MerchantId == merchantId, stop) is not { } row)
        {
            return null;
        }

        var events = db.WebhookEvents.Where(e => e.MerchantId == merchantId);
        return new(
            merchantId,
            row.Url,
            row.SecretSetAt,
            await events.LongCountAsync(e => e.DueAt != null, stop),
            await events.LongCountAsync(e => e.DueAt == null, stop),
            await events.Where(e => e.Fault != null).OrderByDescending(e => e.CreatedAt).Select(e => e.Fault).FirstOrDefaultAsync(stop));
    }

    private static IResult Missing(string merchantId) => Problems.NotFound("webhook of merchant " + merchantId);
}
