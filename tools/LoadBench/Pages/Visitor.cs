using System.Net;
using System.Text.RegularExpressions;
using DeviceHub.Tools.LoadBench.Driver;

namespace DeviceHub.Tools.LoadBench.Pages;

/// <summary>A person with a browser of its own, signed in with the sign-in's forms.</summary>
internal sealed partial class Visitor : IDisposable
{
    private readonly HttpClient http;

    private Visitor(Uri hub)
    {
        Hub = hub;
        http = new HttpClient(new SocketsHttpHandler { CookieContainer = Cookies }) { BaseAddress = hub };
        http.DefaultRequestHeaders.Add("Origin", hub.GetLeftPart(UriPartial.Authority));
        http.DefaultRequestHeaders.Add("Accept", "text/html");
    }

    public Uri Hub { get; }

    public CookieContainer Cookies { get; } = new();

    /// <summary>The owner's first sign-in, which replaces the generated password.</summary>
    public static async Task SetUp(Uri hub, string user, string firstPassword, string password)
    {
        using var owner = await SignIn(hub, user, firstPassword);
        await owner.Submit("/welcome", ("password", password), ("again", password));
    }

    public static async Task<Visitor> SignIn(Uri hub, string user, string password)
    {
        var visitor = new Visitor(hub);
        await visitor.Submit("/sign-in", ("userName", user), ("password", password));
        return visitor;
    }

    public async Task<string> Get(string path, CancellationToken stop)
    {
        using var answer = await http.GetAsync(path, stop);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(stop) : throw new BenchException($"{path} was answered with {answer.StatusCode}");
    }

    /// <summary>As a browser says that a page was closed.</summary>
    public async Task Leave(string circuit)
    {
        using var form = new MultipartFormDataContent { { new StringContent(circuit), "circuitId" } };
        using var answer = await http.PostAsync("/_blazor/disconnect", form);
        answer.EnsureSuccessStatusCode();
    }

    public void Dispose() => http.Dispose();

    private async Task Submit(string path, params (string Name, string Value)[] fields)
    {
        var token = ("__RequestVerificationToken", FormToken().Match(await Get(path, CancellationToken.None)).Groups[1].Value);
        using var form = new FormUrlEncodedContent(fields.Append(token).Select(f => KeyValuePair.Create(f.Item1, f.Item2)));
        using var answer = await http.PostAsync(path, form);
        if (!answer.IsSuccessStatusCode)
        {
            throw new BenchException($"the form of {path} was answered with {answer.StatusCode}");
        }
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
