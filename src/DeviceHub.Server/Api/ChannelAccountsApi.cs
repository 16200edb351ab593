using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Core.Routing;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>Merchants' accounts at channels. A secret goes in and never comes out.</summary>
internal static class ChannelAccountsApi
{
    private static readonly TimeSpan TestDeadline = TimeSpan.FromSeconds(15);

    internal sealed record ChannelKind(string Name, IReadOnlyList<Wallet> Wallets, IReadOnlyList<FieldKind> Fields, bool Activates);

    /// <param name="Pattern">The whole value matches it.</param>
    internal sealed record FieldKind(string Name, AccountFieldKind Kind, bool Required, bool Secret, string Says, string? Pattern, int MaxLength);

    /// <summary>A new account, and what a change puts over the account's own (JSON merge patch: what is left out stays, null takes away).</summary>
    internal sealed record Input(
        string? MerchantId, string? Channel, string? Name, bool? Enabled, IReadOnlyList<Wallet>? Wallets, int? Priority, int? Weight, int? FeeBasisPoints, long? MinAmountFen,
        long? MaxAmountFen, long? DayLimitFen, ScheduleBody? Schedule, Dictionary<string, string?>? Fields);

    internal sealed record ScheduleBody(string? TimeZone, IReadOnlyList<WindowBody>? Windows);

    /// <param name="From">HH:mm.</param>
    /// <param name="To">HH:mm, not included; not after From: on the next day.</param>
    internal sealed record WindowBody(IReadOnlyList<DayOfWeek>? Days, string? From, string? To);

    internal sealed record Account(
        string Id, string MerchantId, string Channel, string Name, bool Enabled, IReadOnlyList<Wallet> Wallets, int Priority, int Weight, int FeeBasisPoints, long MinAmountFen,
        long? MaxAmountFen, long? DayLimitFen, ScheduleBody? Schedule, IReadOnlyList<Field> Fields, long Version, Health Health, long TodayFen);

    /// <param name="Value">Null of secrets, always.</param>
    internal sealed record Field(string Name, bool IsSet, string? Value, DateTimeOffset? SetAt, CertificateView? Certificate);

    internal sealed record CertificateView(string Subject, string SerialNumber, DateTimeOffset Expires, bool Expired);

    internal sealed record Health(Circuit Circuit, int Calls, int Failed, int Slow, double OpenForSeconds);

    public static void MapChannelAccounts(this RouteGroupBuilder api)
    {
        api.MapGet("/channels", Channels).Produces<IReadOnlyList<ChannelKind>>().WithSummary("Channels, their wallets, and what an account at each is made of");
        api.MapGet("/channel-accounts", List).Produces<PageOf<Account>>().WithSummary("Accounts by name, of one merchant or of all");
        api.MapGet("/channel-accounts/{id}", Get).Produces<Account>().ProducesProblem(404).WithSummary("One account with its health and what it took today; secrets are only said to be set");
        api.MapPost("/channel-accounts", Create).RequireAuthorization(Policies.Own).Produces<Account>(201).ProducesValidationProblem().ProducesProblem(409)
            .WithSummary("Makes an account of a merchant at a channel");
        api.MapPatch("/channel-accounts/{id}", Change).RequireAuthorization(Policies.Own).Accepts<Input>("application/json", "application/merge-patch+json").Produces<Account>()
            .ProducesValidationProblem().ProducesProblem(404).WithSummary("Changes an account: what is left out stays, null takes away. The next call to the channel goes by it");
        api.MapPost("/channel-accounts/{id}/test", Test).RequireAuthorization(Policies.Own).Produces<AccountCheck>().ProducesProblem(404)
            .WithSummary("Makes a harmless call with the account's keys and says what came of it");
        api.MapPost("/channel-accounts/{id}/activate", Activate).RequireAuthorization(Policies.Own).Produces<AccountCheck>().ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Gives the account's activation code to the channel for the account's own keys");
    }

    private static IResult Channels(PaymentChannels channels, IEnumerable<IAccountActivation> activations) => Results.Ok(channels.All.Select(c => new ChannelKind(
        c.Name,
        c.Wallets,
        [.. c.AccountFields.Select(f => new FieldKind(f.Name, f.Kind, f.Required, f.IsSecret, f.Says, f.Pattern, f.MaxLength))],
        activations.Any(a => a.Name == c.Name))));

    private static async Task<IResult> List(
        HubReads reads, Paging paging, ChannelAccountStore store, ChannelAccountBook book, AccountViews views, string? merchantId, int? page, int? pageSize, CancellationToken stop) =>
        paging.Check(page, pageSize) ?? Results.Ok(await reads.Run(
            (db, cancel) =>
            {
                var rows = db.ChannelAccounts.AsNoTracking();
                rows = merchantId is null ? rows : rows.Where(a => a.MerchantId == merchantId);
                return paging.Read(rows.OrderBy(a => a.Name).ThenBy(a => a.Id), page, pageSize, row => views.Of(book.Known(row.Id) ?? store.Read(row)), cancel);
            },
            stop));

    private static IResult Get(string id, ChannelAccountBook book, AccountViews views) =>
        book.Known(id) is { } account ? Results.Ok(views.Of(account)) : Missing(id);

    private static async Task<IResult> Create(
        Input body, PaymentChannels channels, HubWrites writes, ChannelAccountStore store, ChannelAccountBook book, AccountViews views, AuditTrail audit, TimeProvider clock,
        IOptions<ServerOptions> options, CancellationToken stop)
    {
        var check = new FieldCheck();
        var now = clock.GetUtcNow();
        var merchant = check.Text(body.MerchantId, "merchantId", 64);
        var channel = channels.TryFind(body.Channel ?? "");
        check.That(channel is not null, "channel", "one of: " + string.Join(", ", channels.All.Select(c => c.Name)));
        var fresh = new ChannelAccount { Id = ChannelAccount.IdPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), MerchantId = merchant, Channel = body.Channel ?? "" };
        var account = channel is null ? fresh : AccountInput.Apply(body, body.Fields ?? [], fresh, channel, now, check);
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var entry = audit.Row("channel-account.create", Subject(account), null, AccountViews.Audited(account, body.Fields?.Keys));
        var refused = await writes.Run(
            async (db, cancel) =>
            {
                if (!await db.Merchants.AnyAsync(m => m.Id == merchant, cancel))
                {
                    return Problems.Field("merchantId", "there is no such merchant");
                }

                if (await db.ChannelAccounts.CountAsync(cancel) >= options.Value.MaxRecords)
                {
                    return Problems.Conflict("the hub has as many channel accounts as Server:MaxRecords allows");
                }

                store.Put(db, account, now);
                db.Audit.Add(entry);
                await db.SaveChangesAsync(cancel);
                return null;
            },
            stop);
        return refused ?? Published(account, book, a => Results.Created((string?)null, views.Of(a)));
    }

    private static async Task<IResult> Change(
        string id, JsonElement body, PaymentChannels channels, HubWrites writes, ChannelAccountStore store, ChannelAccountBook book, AccountViews views, AuditTrail audit,
        TimeProvider clock, IOptions<JsonOptions> json, CancellationToken stop)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return Problems.Field("body", "a JSON object of what is to change is needed");
        }

        var now = clock.GetUtcNow();
        ChannelAccount? changed = null;
        var refused = await writes.Run(
            async (db, cancel) =>
            {
                if (await db.ChannelAccounts.FirstOrDefaultAsync(a => a.Id == id, cancel) is not { } row)
                {
                    return Missing(id);
                }

                var check = new FieldCheck();
                var before = store.Read(row);
                var (merged, given) = AccountInput.Merge(AccountInput.Of(before), JsonObject.Create(body)!, json.Value.SerializerOptions);
                check.That(merged.MerchantId == before.MerchantId, "merchantId", "cannot be changed: make another account");
                check.That(merged.Channel == before.Channel, "channel", "cannot be changed: make another account");
                changed = AccountInput.Apply(merged, given, before, channels.Find(before.Channel), now, check);
                if (check.Problem is { } fault)
                {
                    return fault;
                }

                store.Put(db, changed, now, row);
                db.Audit.Add(audit.Row("channel-account.change", Subject(changed), AccountViews.Audited(before, null), AccountViews.Audited(changed, given.Keys)));
                await db.SaveChangesAsync(cancel);
                return null;
            },
            stop);
        return refused ?? Published(changed!, book, a => Results.Ok(views.Of(a)));
    }

    private static async Task<IResult> Test(string id, PaymentChannels channels, ChannelAccountBook book, AuditTrail audit, AccountViews views, TimeProvider clock, CancellationToken stop)
    {
        if (book.Known(id) is not { } account)
        {
            return Missing(id);
        }

        using var deadline = new CancellationTokenSource(TestDeadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        AccountCheck check;
        try
        {
            check = views.Expired(account) ?? await channels.Find(account.Channel).Test(account, either.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            check = new AccountCheck(false, $"{account.Channel} did not answer within {TestDeadline.TotalSeconds:0} s");
        }

        await audit.Write("channel-account.test", Subject(account), null, check);
        return Results.Ok(check);
    }

    private static async Task<IResult> Activate(
        string id, ChannelAccountBook book, IEnumerable<IAccountActivation> activations, AuditTrail audit, TimeProvider clock, CancellationToken stop)
    {
        if (book.Known(id) is not { } account)
        {
            return Missing(id);
        }

        if (activations.FirstOrDefault(a => a.Name == account.Channel) is not { } activation)
        {
            return Problems.Conflict($"accounts at {account.Channel} are not activated by a code");
        }

        using var deadline = new CancellationTokenSource(TestDeadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        AccountCheck answer;
        try
        {
            answer = await activation.Activate(account, either.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            answer = new AccountCheck(false, $"{account.Channel} did not answer within {TestDeadline.TotalSeconds:0} s; the code may be used up");
        }

        await audit.Write("channel-account.activate", Subject(account), null, answer);
        return Results.Ok(answer);
    }

    /// <summary>After the commit: from here payments go by it.</summary>
    private static IResult Published(ChannelAccount account, ChannelAccountBook book, Func<ChannelAccount, IResult> answer)
    {
        book.Put(account);
        return answer(account);
    }

    private static IResult Missing(string id) => Problems.NotFound("channel account " + id);

    private static string Subject(ChannelAccount account) => "channel-account:" + account.Id;
}
