using DeviceHub.Channels;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Server.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>
/// Where channels tell what became of an order. Anybody may call; what is told is believed when the account's channel finds it signed,
/// and even then it only has the payment asked about: a query proves.
/// </summary>
internal sealed partial class NoticesApi(
    IEnumerable<IChannelNotices> channels, IChannelAccounts accounts, IPaymentLedger ledger, IGrainFactory grains, ChannelAlarms alarms, IOptions<ServerOptions> options,
    TimeProvider clock, ILogger<NoticesApi> logger)
{
    public const string RateLimit = "notices";

    /// <summary>Channels wait some seconds and then call again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly Dictionary<string, IChannelNotices> channels = channels.ToDictionary(c => c.Name, StringComparer.Ordinal);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/notify/{channel}/{accountId}", (string channel, string accountId, HttpContext http, NoticesApi notices) => notices.Take(channel, accountId, http))
            .AllowAnonymous().RequireRateLimiting(RateLimit).ExcludeFromDescription();

    private async Task<IResult> Take(string channel, string accountId, HttpContext http)
    {
        if (!channels.TryGetValue(channel, out var notices) || accounts.Find(accountId) is not { } account || account.Channel != channel)
        {
            // As any path that is not there.
            return Results.StatusCode(StatusCodes.Status404NotFound);
        }

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = options.Value.MaxNoticeBytes;
        }

        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        var headers = http.Request.Headers.Where(h => h.Value.Count == 1).ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToString(), StringComparer.Ordinal);
        var reading = notices.Read(account, new NoticeRequest(headers, body.GetBuffer().AsMemory(0, (int)body.Length), clock.GetUtcNow()));
        var reply = notices.Reply(reading.Notice is { } notice ? await Tell(account, notice) : Refuse(account, reading.Fault ?? "not a notice"));
        return Results.Text(reply.Body, reply.ContentType, statusCode: reply.Status);
    }

    /// <summary>Whether the channel need not say it again.</summary>
    private async Task<bool> Tell(ChannelAccount account, ChannelNotice notice)
    {
        try
        {
            // An order number is in the ledger before the channel hears of it, so what is not there now is not ours: another system's, on the same account.
            if (await ledger.FindByChannelOrder(notice.OrderNumber) is not { } id || await ledger.Read(id) is not { } history)
            {
                alarms.RefusedNotice(account, "of an order that the hub does not have");
                return true;
            }

            if (!history.Events.OfType<AttemptStarted>().Any(a => a.ChannelOrderNumber == notice.OrderNumber && a.Account == account.Id))
            {
                return Refuse(account, "of another account's order");
            }

            var told = notice.Verdict.PaidFen + notice.Verdict.DiscountFen;
            if (notice.Verdict.Verdict == Verdict.Approved && told > 0 && told != history.Events.OfType<PaymentAccepted>().First().AmountFen)
            {
                return Refuse(account, "of another amount");
            }

            await grains.GetGrain<IPaymentGrain>(id.ToString()).Noticed(notice.OrderNumber, notice.RefundNumber, notice.Verdict).WaitAsync(Patience, clock);
            return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Not taken: the channel says it again.
            LogFailed(e, account.Channel, account.Id);
            return false;
        }
    }

    private bool Refuse(ChannelAccount account, string why)
    {
        alarms.RefusedNotice(account, why);
        return false;
    }

    [LoggerMessage(EventName = "NoticeFailed", Level = LogLevel.Warning, Message = "{Channel} account {Account}: a notice could not be taken now; the channel is told to say it again")]
    private partial void LogFailed(Exception e, string channel, string account);
}
