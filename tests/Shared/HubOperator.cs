using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DeviceHub.Tests;

/// <summary>A person who signs in to a hub with its first password, makes an API key, and works with the HTTP API from then on.</summary>
public sealed partial class HubOperator : IDisposable
{
    private readonly HttpClient http;

    private HubOperator(Uri hub, string apiKey)
    {
        http = new HttpClient { BaseAddress = hub, Timeout = TimeSpan.FromSeconds(20) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
    }

    public static async Task<HubOperator> SignIn(Uri hub, string password)
    {
        using var handler = new HttpClientHandler { CookieContainer = new CookieContainer() };
        using var browser = new HttpClient(handler) { BaseAddress = hub, Timeout = TimeSpan.FromSeconds(20) };
        var page = await browser.GetStringAsync(Path("/sign-in"));
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["__RequestVerificationToken"] = WebUtility.HtmlDecode(FormToken().Match(page).Groups[1].Value),
            ["userName"] = "admin",
            ["password"] = password,
        });
        using var signedIn = await browser.PostAsync(Path("/sign-in"), form);
        await Whole(signedIn);

        // A change by cookie is taken from the hub's own pages only; the origin says so.
        browser.DefaultRequestHeaders.Add("Origin", hub.GetLeftPart(UriPartial.Authority));
        using var created = await browser.PostAsJsonAsync(Path("/api/v1/api-keys"), new { name = "test", scopes = new[] { "admin" } });
        return new HubOperator(hub, (await Whole(created)).GetProperty("key").GetString()!);
    }

    /// <summary>A merchant, a store, and an activation code for so many terminals of this model.</summary>
    public async Task<string> MakeActivationCode(string model, int uses)
    {
        var merchantId = (await Post("/api/v1/merchants", new { name = "Noodle shop" })).GetProperty("id").GetString();
        var storeId = (await Post("/api/v1/stores", new { merchantId, name = "Main street" })).GetProperty("id").GetString();
        return (await Post("/api/v1/activation-codes", new { storeId, model, uses })).GetProperty("code").GetString()!;
    }

    /// <summary>Null: the hub knows no such thing.</summary>
    public async Task<JsonElement?> Find(string path)
    {
        using var answer = await http.GetAsync(Path(path));
        return answer.StatusCode == HttpStatusCode.NotFound ? null : await Whole(answer);
    }

    public async Task<JsonElement> Post(string path, object body)
    {
        using var answer = await http.PostAsJsonAsync(Path(path), body);
        return await Whole(answer);
    }

    public void Dispose() => http.Dispose();

    private static Uri Path(string path) => new(path, UriKind.Relative);

    private static async Task<JsonElement> Whole(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri} was answered {(int)answer.StatusCode}: {text}");
        }

        return answer.Content.Headers.ContentType?.MediaType == "application/json" ? JsonElement.Parse(text) : default;
    }

    [GeneratedRegex("name=\"?__RequestVerificationToken\"?[^>]*value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
