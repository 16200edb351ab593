using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using DeviceHub.Tools.Bench.Conformance;

namespace DeviceHub.Tools.Bench.Hub;

/// <summary>
/// A hub's HTTP API. What it refuses is told in words; a hub that does not answer is lost, as a port is that was unplugged.
/// </summary>
internal sealed class HubApi : IDisposable
{
    /// <summary>Above the longest question that waits at the hub.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    /// <summary>Times that it is asked again when it answers that it is asked too often; then that is its answer.</summary>
    private const int MostAgain = 10;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>Whoever runs on it is stopped at once.</summary>
    private readonly TaskCompletionSource<Phrase?> ended = new();
    private readonly HttpClient http;

    public HubApi(Uri address, string key)
    {
        Address = address;
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = address, Timeout = Limit };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public Uri Address { get; }

    /// <summary>Completes when the hub is lost, or at the end (null).</summary>
    public Task<Phrase?> Ended => ended.Task;

    /// <param name="path">Below /api/v1/.</param>
    public Task<JsonElement> Get(string path, CancellationToken stop) => Ask(HttpMethod.Get, path, null, null, stop);

    /// <param name="refused">Words for an answer that a step knows; null, or null of it: the hub's own.</param>
    public async Task<JsonElement> Ask(HttpMethod method, string path, object? body, Func<JsonElement, Phrase?>? refused, CancellationToken stop)
    {
        var (status, json) = await Send(method, path, body, stop);
        if ((int)status < 300)
        {
            return json;
        }

        throw status switch
        {
            HttpStatusCode.Unauthorized => new CaseBlockedException("the hub does not take the API key any more"),
            HttpStatusCode.Forbidden => new CaseBlockedException("the API key may not do this: it needs the scope operate"),
            _ when refused?.Invoke(json) is { } words => new CaseBlockedException(words),
            _ => new CaseBlockedException($"the hub refused: {Detail(status, json)}"),
        };
    }

    /// <summary>The status and what was answered; nothing, where that was no JSON.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Json)> Send(HttpMethod method, string path, object? body, CancellationToken stop)
    {
        try
        {
            for (var again = 0; ; again++)
            {
                using var request = new HttpRequestMessage(method, new Uri("/api/v1/" + path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
                using var answer = await http.SendAsync(request, stop);
                if (answer.StatusCode == HttpStatusCode.TooManyRequests && again < MostAgain)
                {
                    var pause = answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1);
                    await Task.Delay(pause < LongestPause ? pause : LongestPause, stop);
                    continue;
                }

                return (answer.StatusCode, await Read(answer, stop));
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            var lost = (Phrase)$"{Address}: the hub does not answer: {e.GetBaseException().Message}";
            ended.TrySetResult(lost);
            stop.ThrowIfCancellationRequested();
            throw new PortException(lost);
        }
    }

    public void Dispose()
    {
        ended.TrySetResult(null);
        http.Dispose();
    }

    private static string Detail(HttpStatusCode status, JsonElement problem) =>
        problem.ValueKind != JsonValueKind.Object ? $"{(int)status}"
        : problem.TryGetProperty("errors", out var errors) ? string.Join("; ", errors.EnumerateObject().Select(e => $"{e.Name}: {string.Join(", ", e.Value.EnumerateArray())}"))
        : problem.TryGetProperty("detail", out var detail) ? $"{detail}" : $"{(int)status}";

    private static async Task<JsonElement> Read(HttpResponseMessage answer, CancellationToken stop)
    {
        try
        {
            return answer.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json" ? await answer.Content.ReadFromJsonAsync<JsonElement>(stop) : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
