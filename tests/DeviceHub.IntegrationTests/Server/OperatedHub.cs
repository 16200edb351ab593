using System.Net;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>The hub as a process, with the administrator's key and a store for terminals.</summary>
internal sealed class OperatedHub : IAsyncDisposable
{
    /// <summary>The Sandbox answers it late.</summary>
    public const ulong Slow = 1024;

    /// <summary>The Sandbox asks for a password and is paid after a while.</summary>
    public const ulong AsksForPassword = 1010;

    private static int serials;

    private readonly Caller admin;
    private readonly string store;

    private OperatedHub(HubProcess process, Caller admin, string store) => (Process, this.admin, this.store) = (process, admin, store);

    public HubProcess Process { get; }

    public Caller Admin => admin;

    public static async Task<OperatedHub> Start(string? dataFolder = null, params string[] options)
    {
        var process = new HubProcess(dataFolder, options);
        await process.Start();
        await Eventually.Holds(() => process.FirstPassword is not null, "the password is printed");
        using var browser = new Caller(process.Url);
        await browser.FirstSignIn("admin", process.FirstPassword!, ServerHub.OwnPassword);
        var admin = new Caller(process.Url, (await ServerHub.CreateKey(browser, "admin")).Key);
        var merchant = (await admin.Post("/api/v1/merchants", new { name = "Noodle shop" })).GetProperty("id").GetString();
        var store = (await admin.Post("/api/v1/stores", new { merchantId = merchant, name = "Main street" })).GetProperty("id").GetString()!;
        return new OperatedHub(process, admin, store);
    }

    public async Task<TestTerminal> LoggedIn()
    {
        var code = (await admin.Post("/api/v1/activation-codes", new { storeId = store, model = "VT-1" })).GetProperty("code").GetString()!;
        await using var activating = new TestTerminal($"OPR-{Interlocked.Increment(ref serials):00000}", Process.MqttPort);
        var terminal = new TestTerminal(activating.SerialNumber, Process.MqttPort) { Key = await activating.Activate(code) };
        await terminal.Login();
        return terminal;
    }

    /// <summary>200: ready. Readiness is looked at anew every two seconds.</summary>
    public async Task<string> Ready(HttpStatusCode expected) => await Eventually.Becomes(
        async () =>
        {
            using var answer = await admin.Send(HttpMethod.Get, "/health/ready");
            return answer.StatusCode == expected ? await answer.Content.ReadAsStringAsync() : "";
        },
        text => text.Length > 0,
        $"readiness answers {expected}");

    public async ValueTask DisposeAsync()
    {
        admin.Dispose();
        await Process.DisposeAsync();
    }
}
