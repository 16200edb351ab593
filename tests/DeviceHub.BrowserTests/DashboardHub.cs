using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Tests;
using Microsoft.Playwright;

namespace DeviceHub.BrowserTests;

/// <summary>The hub as a process with a browser before it: Debian's Chromium, driven by Playwright. Shared by all tests; each has terminals and merchants of its own.</summary>
public sealed partial class DashboardHub : IAsyncLifetime
{
    /// <summary>Terminals of this model may pay unsealed.</summary>
    public const string Unsealed = "plain-scanner";

    /// <summary>A channel's server that never answers: accounts may name it.</summary>
    public const string NobodyThere = "127.0.0.1:1";

    /// <summary>The owner's own.</summary>
    public const string Password = "an own long password";

    private static int serials;

    private readonly CookieContainer cookies = new();
    private readonly string? firstPassword;
    private IPlaywright? playwright;

    public DashboardHub()
        : this(null, null)
    {
    }

    /// <param name="dataFolder">One that somebody has filled; null: a new one.</param>
    /// <param name="firstPassword">Of the folder's owner; null: the hub tells it at its first start.</param>
    internal DashboardHub(string? dataFolder, string? firstPassword)
    {
        this.firstPassword = firstPassword;
        Hub = new(dataFolder, [$"--Terminals:Models:{Unsealed}:Seals=false", $"--Terminals:Models:{Unsealed}:AllowUnsealedInProduction=true", "--Terminals:ShownWithinSeconds=10", "--Server:SignInsPerMinute=1000", $"--Channels:Http:AllowedHosts:0={NobodyThere}"]);
        Api = new HttpClient(new HttpClientHandler { CookieContainer = cookies }) { BaseAddress = Hub.Url };
    }

    public HubProcess Hub { get; }

    public IBrowser Browser { get; private set; } = null!;

    /// <summary>The API as the owner.</summary>
    public HttpClient Api { get; }

    public string StoreId { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        // The console of a page is told what went wrong with an event, not only that something did.
        Environment.SetEnvironmentVariable("ASPNETCORE_DETAILEDERRORS", "true");
        await Hub.Start();
        await SignIn();
        var merchant = await Post("merchants", new { name = "Noodle house 面馆" });
        StoreId = (await Post("stores", new { merchantId = merchant.GetProperty("id").GetString(), name = "Main street 大街店" })).GetProperty("id").GetString()!;
        playwright = await Playwright.CreateAsync();
        Assertions.SetDefaultExpectTimeout(15_000);
        Browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null)
        {
            await Browser.DisposeAsync();
        }

        playwright?.Dispose();
        var output = Hub.Output;
        await Hub.DisposeAsync();
        Api.Dispose();
        var faults = output.Split('\n').Where(line => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal)).ToList();
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>A page in a browser of its own, signed in as the owner.</summary>
    public async Task<BrowserPage> Open(string path, Action<BrowserNewContextOptions>? configure = null)
    {
        var options = new BrowserNewContextOptions { BaseURL = Hub.Url.ToString(), ViewportSize = new() { Width = 1440, Height = 900 }, Locale = "en-GB", ReducedMotion = ReducedMotion.Reduce };
        configure?.Invoke(options);
        var context = await Browser.NewContextAsync(options);
        await context.AddCookiesAsync(cookies.GetCookies(Hub.Url).Select(c => new Microsoft.Playwright.Cookie { Name = c.Name, Value = c.Value, Url = Hub.Url.ToString() }));
        return await BrowserPage.Open(context, path);
    }

    /// <summary>A terminal with a key that has logged in over MQTT.</summary>
    internal async Task<TestTerminal> LoggedIn(string model = Unsealed)
    {
        var terminal = new TestTerminal($"WEB-{Interlocked.Increment(ref serials):00000}", Hub.MqttPort);
        var key = await terminal.Activate((await Post("activation-codes", new { storeId = StoreId, model, uses = 1 })).GetProperty("code").GetString()!);
        await terminal.DisposeAsync();
        terminal = new TestTerminal(terminal.SerialNumber, Hub.MqttPort) { Key = key };
        await terminal.Login();
        return terminal;
    }

    public async Task<JsonElement> Get(string path) => await Api.GetFromJsonAsync<JsonElement>("/api/v1/" + path);

    public async Task<JsonElement> Post(string path, object body)
    {
        using var answer = await Api.PostAsJsonAsync("/api/v1/" + path, body);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task SignIn()
    {
        await Submit("/sign-in", ("userName", "admin"), ("password", firstPassword ?? Hub.FirstPassword!));
        await Submit("/welcome", ("password", Password), ("again", Password));
        Api.DefaultRequestHeaders.Add("Origin", Hub.Url.GetLeftPart(UriPartial.Authority));
    }

    private async Task Submit(string path, params (string Name, string Value)[] fields)
    {
        var token = ("__RequestVerificationToken", FormToken().Match(await Api.GetStringAsync(path)).Groups[1].Value);
        using var form = new FormUrlEncodedContent(fields.Append(token).Select(f => KeyValuePair.Create(f.Item1, f.Item2)));
        using var answer = await Api.PostAsync(path, form);
        answer.EnsureSuccessStatusCode();
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}

[CollectionDefinition(Name)]
public sealed class DashboardGroup : ICollectionFixture<DashboardHub>
{
    public const string Name = "dashboard";
}
