using System.Collections.Concurrent;
using System.Net;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Server.Hosting;
using DeviceHub.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>The whole hub in this process on free ports, as its administrator and its API's callers meet it. An unexpected error log fails it.</summary>
public class ServerHub : IAsyncLifetime
{
    private static int serials;

    private readonly string folder = Directory.CreateTempSubdirectory("hub-server-").FullName;
    private readonly ConcurrentQueue<string> errors = new();
    private WebApplication? app;
    private HubStart? start;
    private string? password;
    private Caller? admin;

    /// <summary>More options, as <c>--Section:Name=value</c>.</summary>
    protected virtual string[] Options => [];

    /// <summary>An error that the tests provoke.</summary>
    protected virtual bool IsExpected(string error) => false;

    internal Uri Url => start!.Pages[0];

    internal string Folder => folder;

    /// <summary>The owner's own.</summary>
    internal const string OwnPassword = "an own long password";

    /// <summary>What the first start told.</summary>
    internal string FirstPassword => password!;

    internal IServiceProvider Services => app!.Services;

    /// <summary>A program whose key may do everything.</summary>
    internal Caller Admin => admin!;

    public virtual async ValueTask InitializeAsync()
    {
        await Start();
        password = start!.FirstPassword;
        using var owner = Anonymous();
        await owner.FirstSignIn("admin", FirstPassword, OwnPassword);
        var (key, _) = await CreateKey(owner, "admin");
        admin = WithKey(key);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Stop();
        Directory.Delete(folder, recursive: true);
        Assert.DoesNotContain(errors, error => !IsExpected(error));
        GC.SuppressFinalize(this);
    }

    internal async Task Start()
    {
        app = HubApplication.Build(
            [
                $"--Server:DataFolder={folder}", "--Server:Urls=http://127.0.0.1:0", "--Mqtt:Port=0", "--Mqtt:TlsPort=-1", "--Mqtt:ConnectBurst=1000",
                "--Server:SignInsPerMinute=1000", "--Server:ApiRequestsPerSecond=10000", "--Server:WrongCredentialsDelay=00:00:00.2",
                "--Sandbox:PasswordAfter=00:00:20", .. Options,
            ],
            builder => builder.Logging.AddProvider(new ErrorCollector(errors)),
            told => start = told);
        await app.StartAsync();
    }

    internal async Task Stop()
    {
        // Once: a test that stopped it and then failed tells its own fault, not that of a second stop.
        if (Interlocked.Exchange(ref app, null) is { } running)
        {
            await running.StopAsync();
            await running.DisposeAsync();
        }
    }

    /// <summary>What the latest start told.</summary>
    internal HubStart Told => start!;

    internal Caller Anonymous() => new(Url);

    internal Caller WithKey(string key) => new(Url, key);

    /// <summary>A browser whose user has signed in.</summary>
    internal async Task<Caller> SignedIn(string? with = null, string userName = "admin")
    {
        var browser = Anonymous();
        var answer = await browser.SubmitForm("/sign-in", "/sign-in", ("userName", userName), ("password", with ?? OwnPassword));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return browser;
    }

    /// <summary>A browser of a new person of this role, who has an own password.</summary>
    internal async Task<(Caller Browser, string UserName, string Id)> NewPerson(string role)
    {
        var userName = $"person-{Interlocked.Increment(ref serials)}";
        var made = await Admin.Post("/api/v1/people", new { userName, role });
        var browser = Anonymous();
        await browser.FirstSignIn(userName, made.GetProperty("password").GetString()!, OwnPassword);
        return (browser, userName, made.GetProperty("person").GetProperty("id").GetString()!);
    }

    /// <summary>A key with this scope, made by somebody who may.</summary>
    internal static async Task<(string Key, string Id)> CreateKey(Caller by, params string[] scopes)
    {
        var created = await by.Post("/api/v1/api-keys", new { name = "test " + string.Join(' ', scopes), scopes });
        return (created.GetProperty("key").GetString()!, created.GetProperty("id").GetString()!);
    }

    internal async Task<string> NewMerchant(string name = "Noodle shop") =>
        (await Admin.Post("/api/v1/merchants", new { name })).GetProperty("id").GetString()!;

    internal async Task<string> NewStore(string name = "Main street") =>
        (await Admin.Post("/api/v1/stores", new { merchantId = await NewMerchant(), name })).GetProperty("id").GetString()!;

    internal async Task<string> NewCode(string storeId, int uses = 1) =>
        (await Admin.Post("/api/v1/activation-codes", new { storeId, model = "VT-1", uses })).GetProperty("code").GetString()!;

    internal static string NewSerial() => $"SRV-{Interlocked.Increment(ref serials):00000}";

    internal TestTerminal Terminal(string serialNumber) => new(serialNumber, start!.Plain!.Port);

    internal async Task<TestTerminal> Activated(string? code = null)
    {
        await using var activating = Terminal(NewSerial());
        var key = await activating.Activate(code ?? await NewCode(await NewStore()));
        var terminal = Terminal(activating.SerialNumber);
        terminal.Key = key;
        await terminal.Login();
        return terminal;
    }

    internal IEnumerable<RouteEndpoint> Endpoints => Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>().Distinct();

    /// <summary>Audit rows of one thing that somebody did, newest first.</summary>
    internal async Task<IReadOnlyList<System.Text.Json.JsonElement>> Audit(string what, string? subject = null)
    {
        var path = $"/api/v1/audit?what={what}" + (subject is null ? "" : "&subject=" + Uri.EscapeDataString(subject));
        return [.. (await Admin.Get(path)).GetProperty("items").EnumerateArray()];
    }
}
