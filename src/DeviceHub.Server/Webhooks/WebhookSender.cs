using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Storage;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Webhooks;

/// <summary>
/// Tells merchants what the book has for them: at least once, each event under its own id, signed, until the receiver answers 2xx or the tries
/// are used up. A death between an answer and its row only tells again.
/// </summary>
internal sealed partial class WebhookSender(
    WebhookBook book, ChannelHttp http, TimeProvider clock, IOptions<WebhookOptions> options, IHostApplicationLifetime lifetime, ILogger<WebhookSender> logger) : BackgroundService
{
    public const string SignatureHeader = "DeviceHub-Signature";
    public const string IdHeader = "DeviceHub-Event-Id";

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly Meter Meter = new("DeviceHub.Webhooks");
    private static readonly Counter<long> Tries = Meter.CreateCounter<long>("webhooks.tries", description: "Tries to tell a merchant, by what came of it");

    private readonly WebhookOptions options = options.Value;

    /// <summary><c>t=SECONDS,v1=HEX</c>: HMAC-SHA256 under the webhook's secret of <c>SECONDS.BODY</c>.</summary>
    public static string Sign(SecretText secret, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        var seconds = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret.Reveal()));
        mac.AppendData(Encoding.ASCII.GetBytes(seconds + "."));
        mac.AppendData(body);
        return $"t={seconds},v1={Convert.ToHexStringLower(mac.GetHashAndReset())}";
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource();
        using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(stoppingToken);
        var telling = new Dictionary<string, Task>();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await Begin(telling, stoppingToken);
                await book.Wait(LookEvery, clock, stoppingToken);
            }
        }
        finally
        {
            await Task.WhenAll(telling.Values);
        }
    }

    /// <summary>Each merchant is told beside the others: a deaf one keeps nobody waiting.</summary>
    private async Task Begin(Dictionary<string, Task> telling, CancellationToken stop)
    {
        foreach (var (merchant, _) in telling.Where(t => t.Value.IsCompleted).ToList())
        {
            telling.Remove(merchant);
        }

        try
        {
            // What is being told is due, too.
            var due = await book.Due(clock.GetUtcNow(), options.MaxConcurrent + telling.Count);
            foreach (var waiting in due.Where(w => !telling.ContainsKey(w.MerchantId)).Take(options.MaxConcurrent - telling.Count).ToList())
            {
                telling.Add(waiting.MerchantId, Tell(waiting, stop));
            }
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            LogFailed(e);
        }
    }

    private async Task Tell(WebhookBook.Waiting waiting, CancellationToken stop)
    {
        try
        {
            var fault = await Try(waiting, stop);
            Tries.Add(1, new KeyValuePair<string, object?>("result", fault is null ? "delivered" : waiting.Tries < options.RetryWaits.Length ? "failed" : "given-up"));
            await (fault is null ? book.Delivered(waiting.Id) : Failed(waiting, fault));

            // Only what is written lets the next one go at once: else this one would be sent again and again.
            book.Look();
        }
        catch (Exception e)
        {
            if (!stop.IsCancellationRequested)
            {
                LogFailed(e);
            }
        }
    }

    private async Task Failed(WebhookBook.Waiting waiting, string fault)
    {
        // The merchant's others wait too, but no longer than after a first failure: one event that its receiver chokes on holds up nothing else.
        var gaveUp = waiting.Tries >= options.RetryWaits.Length;
        var now = clock.GetUtcNow();
        await book.Failed(
            waiting, fault, gaveUp ? null : now + options.RetryWaits[waiting.Tries], now + options.RetryWaits[0], now - TimeSpan.FromDays(options.KeepGivenUpDays));
        LogNotTold(waiting.MerchantId, waiting.Id, fault, gaveUp ? "given up" : "tried again");
    }

    /// <summary>Null: it was told. Else why not.</summary>
    private async Task<string?> Try(WebhookBook.Waiting waiting, CancellationToken stop)
    {
        (string Url, SecretText Secret)? found;
        try
        {
            found = await book.Find(waiting.MerchantId, stop);
        }
        catch (CryptographicException)
        {
            return "its secret cannot be opened with the data folder's protection keys; set it again";
        }

        if (found is not { } hook)
        {
            return "the merchant has no webhook any more";
        }

        // Again at each try: the option may have changed since the address was set.
        var (url, wrong) = ChannelAddress.OfAccount(hook.Url, "Webhooks:AllowedHosts", options.AllowedHosts);
        if (url is null)
        {
            return "the address " + wrong;
        }

        using var deadline = new CancellationTokenSource(options.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, deadline.Token);
        try
        {
            var answer = await http.Send(Request(url, waiting, hook.Secret), either.Token);
            return answer.Fault != HttpFault.None ? answer.Fault.ToString() : answer.Status is >= 200 and < 300 ? null : $"HTTP status {answer.Status}";
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return $"no answer in {options.Timeout.TotalSeconds:0.#} s";
        }
    }

    private HttpRequestMessage Request(Uri url, WebhookBook.Waiting waiting, SecretText secret)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(waiting.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        request.Headers.Add(IdHeader, waiting.Id);
        request.Headers.Add(SignatureHeader, Sign(secret, clock.GetUtcNow(), waiting.Body));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("DeviceHub", "1"));
        return request;
    }

    [LoggerMessage(EventName = "WebhookNotTold", Level = LogLevel.Warning, Message = "Merchant {MerchantId} could not be told {EventId}: {Fault}; it is {What}")]
    private partial void LogNotTold(string merchantId, string eventId, string fault, string what);

    [LoggerMessage(EventName = "WebhooksFailed", Level = LogLevel.Warning, Message = "What merchants are to be told cannot be read or written; it is tried again")]
    private partial void LogFailed(Exception e);
}

internal static class WebhookRegistration
{
    public static void AddWebhooks(this IServiceCollection services)
    {
        services.AddOptionsSection<WebhookOptions>(WebhookOptions.Section);
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsValidator>();
        services.AddHostedService<WebhookSender>();
    }
}
