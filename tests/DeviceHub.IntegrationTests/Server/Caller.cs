using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>A program or a browser: its own cookies, or a key. Whatever is refused must be a problem of RFC 9457.</summary>
internal sealed partial class Caller : IDisposable
{
    private readonly HttpClient http;

    public Caller(Uri hub, string? key = null)
    {
        http = new HttpClient(new HttpClientHandler
        {
            AllowAutoRedirect = false,
            CookieContainer = new CookieContainer(),
            ServerCertificateCustomValidationCallback = (_, _, _, _) => true,
        })
        { BaseAddress = hub };
        if (key is not null)
        {
            http.DefaultRequestHeaders.Add("Authorization", "Bearer " + key);
        }
        else
        {
            // What a browser says of a request of the hub's own page.
            http.DefaultRequestHeaders.Add("Origin", hub.GetLeftPart(UriPartial.Authority));
        }
    }

    public void Dispose() => http.Dispose();

    public Task<JsonElement> Get(string path, HttpStatusCode expected = HttpStatusCode.OK) => Json(HttpMethod.Get, path, null, expected);

    public Task<JsonElement> Post(string path, object? body = null, HttpStatusCode expected = HttpStatusCode.Created) => Json(HttpMethod.Post, path, body, expected);

    public Task<JsonElement> Put(string path, object? body, HttpStatusCode expected = HttpStatusCode.OK) => Json(HttpMethod.Put, path, body, expected);

    public Task<JsonElement> Patch(string path, object? body, HttpStatusCode expected = HttpStatusCode.OK) => Json(HttpMethod.Patch, path, body, expected);

    /// <summary>Fields that a refused request is told about.</summary>
    public async Task<IReadOnlyList<string>> Faults(HttpMethod method, string path, object? body = null) =>
        [.. (await Json(method, path, body, HttpStatusCode.BadRequest)).GetProperty("errors").EnumerateObject().Select(f => f.Name)];

    public async Task<HttpResponseMessage> Send(HttpMethod method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.Add(name, value);
        }

        return await http.SendAsync(request);
    }

    /// <summary>Opens a page as a browser does and sends its form.</summary>
    public async Task<HttpResponseMessage> SubmitForm(string page, string action, params (string Name, string Value)[] fields)
    {
        var html = await (await Send(HttpMethod.Get, page)).Content.ReadAsStringAsync();
        var token = WebUtility.HtmlDecode(Token().Match(html).Groups[1].Value);
        return await Send(HttpMethod.Post, action, new FormUrlEncodedContent(
            fields.Append(("__RequestVerificationToken", token)).Select(f => KeyValuePair.Create(f.Item1, f.Item2))));
    }

    /// <summary>Signs in with a password that somebody else gave, and chooses an own one.</summary>
    public async Task FirstSignIn(string userName, string given, string own)
    {
        using var signedIn = await SubmitForm("/sign-in", "/sign-in", ("userName", userName), ("password", given));
        Assert.Equal("/welcome", signedIn.Headers.Location?.OriginalString);
        using var chosen = await SubmitForm("/welcome", "/welcome", ("password", own), ("again", own));
        Assert.Equal(HttpStatusCode.Redirect, chosen.StatusCode);
    }

    public async Task<JsonElement> Json(HttpMethod method, string path, object? body, HttpStatusCode expected)
    {
        using var answer = await Send(method, path, body switch { null => null, HttpContent content => content, _ => JsonContent.Create(body) });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{method} {path}: expected {expected}, got {answer.StatusCode}: {text}");
        if ((int)expected >= 400)
        {
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        }

        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
