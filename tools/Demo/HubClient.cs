using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DeviceHub.Tools.Demo;

/// <summary>A hub through its HTTP API, as a merchant's software sees it.</summary>
internal sealed partial class HubClient : IDisposable
{
    private static readonly string[] Scopes = ["admin"];

    private readonly HttpClient http;

    public HubClient(Uri hub, string apiKey)
    {
        http = new HttpClient { BaseAddress = hub, Timeout = TimeSpan.FromSeconds(20) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
    }

    /// <summary>Signs in as a browser does with the password of the first start, chooses an own one, and makes an API key.</summary>
    /// <returns>The key, and the password that opens the hub from now on.</returns>
    public static async Task<(string ApiKey, string Password)> FirstSignIn(Uri hub, string userName, string firstPassword)
    {
        var own = RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 20);
        using var browser = new HttpClient(new HttpClientHandler { CookieContainer = new CookieContainer() }) { BaseAddress = hub, Timeout = TimeSpan.FromSeconds(20) };
        await Submit(browser, "/sign-in", ("userName", userName), ("password", firstPassword));
        await Submit(browser, "/welcome", ("password", own), ("again", own));

        // A change by cookie is taken from the hub's own pages only; the origin says so.
        browser.DefaultRequestHeaders.Add("Origin", hub.GetLeftPart(UriPartial.Authority));
        return (await Text(browser, "/api/v1/api-keys", new { name = "demo", scopes = Scopes }, "key"), own);
    }

    public Task<string> MakeMerchant(string name) => Text(http, "/api/v1/merchants", new { name }, "id");

    public Task<string> MakeStore(string merchantId, string name) => Text(http, "/api/v1/stores", new { merchantId, name }, "id");

    public Task<string> MakeActivationCode(string storeId, string model, int uses) =>
        Text(http, "/api/v1/activation-codes", new { storeId, model, uses, validHours = 1 }, "code");

    public async Task Configure(string serialNumber, object document)
    {
        using var answer = await http.PutAsJsonAsync(new Uri($"/api/v1/terminals/{serialNumber}/configuration", UriKind.Relative), document);
        await Check(answer);
    }

    public async Task<JsonElement> Get(string path)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
        await Check(answer);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.Clone();
    }

    public Task<JsonElement> Post(string path, object? body) => Post(http, path, body);

    public void Dispose() => http.Dispose();

    /// <summary>Opens a page and sends its form, as a browser does.</summary>
    private static async Task Submit(HttpClient browser, string path, params (string Name, string Value)[] fields)
    {
        var page = await browser.GetStringAsync(new Uri(path, UriKind.Relative));
        var token = ("__RequestVerificationToken", WebUtility.HtmlDecode(FormToken().Match(page).Groups[1].Value));
        using var content = new FormUrlEncodedContent(fields.Append(token).Select(f => KeyValuePair.Create(f.Item1, f.Item2)));
        using var answer = await browser.PostAsync(new Uri(path, UriKind.Relative), content);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<string> Text(HttpClient client, string path, object body, string field) => (await Post(client, path, body)).GetProperty(field).GetString()!;

    private static async Task<JsonElement> Post(HttpClient client, string path, object? body)
    {
        using var answer = await client.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);
        await Check(answer);
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync());
    }

    private static async Task Check(HttpResponseMessage answer)
    {
        if (!answer.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri} was answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    [GeneratedRegex("name=\"?__RequestVerificationToken\"?[^>]*value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
