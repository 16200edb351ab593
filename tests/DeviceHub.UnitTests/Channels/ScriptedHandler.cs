using System.Net;

namespace DeviceHub.UnitTests.Channels;

/// <summary>A channel's server without sockets: each request is kept with its body, and answered by what the test says.</summary>
internal sealed class ScriptedHandler(Func<ScriptedRequest, HttpResponseMessage> answer) : HttpMessageHandler
{
    private readonly List<ScriptedRequest> requests = [];

    public IReadOnlyList<ScriptedRequest> Requests
    {
        get
        {
            lock (requests)
            {
                return [.. requests];
            }
        }
    }

    public static HttpResponseMessage Bytes(byte[] body, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = new ByteArrayContent(body) };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var kept = new ScriptedRequest(request.Method, request.RequestUri!, request.Headers.NonValidated.ToDictionary(h => h.Key, h => h.Value.ToString()), body);
        lock (requests)
        {
            requests.Add(kept);
        }

        return answer(kept);
    }
}

internal sealed record ScriptedRequest(HttpMethod Method, Uri Address, IReadOnlyDictionary<string, string> Headers, byte[] Body);
