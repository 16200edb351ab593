using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.IntegrationTests.Charges;

/// <summary>A hub whose merchants may have webhooks at one receiver, which fails as often as a test says.</summary>
public class TillHub : ServerHub
{
    internal WebhookReceiver Receiver { get; } = new();

    /// <summary>Long enough for a busy machine.</summary>
    protected virtual string CollectingWait => "00:00:20";

    protected override string[] Options =>
        [$"--Webhooks:AllowedHosts:0=127.0.0.1:{Receiver.Port}", "--Webhooks:RetryWaits:0=00:00:00.1", "--Webhooks:RetryWaits:1=00:00:00.2", "--Charges:SweepEvery=00:00:00.5",
         "--Payments:ReverseNotBefore=00:00:00.5", $"--Charges:CollectingWait={CollectingWait}"];

    internal async Task<(TestTerminal Terminal, string Merchant)> Collector()
    {
        var merchant = await NewMerchant();
        var store = (await Admin.Post("/api/v1/stores", new { merchantId = merchant, name = "Main street" })).GetProperty("id").GetString()!;
        await using var activating = Terminal(NewSerial());
        var key = await activating.Activate(await NewCode(store));
        var terminal = Collecting(activating.SerialNumber, key);
        await terminal.Login();
        return (terminal, merchant);
    }

    internal TestTerminal Collecting(string serialNumber, byte[] key) => new(serialNumber, Told.Plain!.Port) { Key = key, Collects = true };
}

/// <summary>One whose terminals must answer at once.</summary>
public sealed class ImpatientTillHub : TillHub
{
    protected override string CollectingWait => "00:00:01";
}

/// <summary>One where a single question may wait.</summary>
public sealed class FullTillHub : TillHub
{
    protected override string[] Options => [.. base.Options, "--Charges:MaxWaiting=1"];
}

/// <summary>A merchant's program: keeps what it is told and answers 500 as often as it is asked to.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly ConcurrentQueue<(string Path, string Id, string Signature, string Body)> calls = new();
    private readonly ConcurrentBag<HttpListenerContext> held = [];
    private int failures;

    public WebhookReceiver(int? port = null)
    {
        Port = port ?? Ports.Free();
        listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        listener.Start();
        _ = Listen();
    }

    public int Port { get; }

    /// <summary>Tries, each with its answer's fate, in their order; one receiver serves all tests, each under a path of its own.</summary>
    public IReadOnlyList<(string Path, string Id, string Signature, string Body)> Of(string path) => [.. calls.Where(c => c.Path == path)];

    /// <summary>The next so many tries are answered 500.</summary>
    public void Fail(int times) => failures = times;

    /// <summary>Tries at this path are not answered.</summary>
    public string? Deaf { get; set; }

    public void Dispose()
    {
        foreach (var context in held)
        {
            context.Response.Abort();
        }

        listener.Close();
    }

    private async Task Listen()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
            var body = await reader.ReadToEndAsync();
            calls.Enqueue((context.Request.Url!.AbsolutePath, context.Request.Headers["DeviceHub-Event-Id"] ?? "", context.Request.Headers["DeviceHub-Signature"] ?? "", body));
            if (context.Request.Url.AbsolutePath == Deaf)
            {
                held.Add(context);
                continue;
            }

            context.Response.StatusCode = Interlocked.Decrement(ref failures) >= 0 ? 500 : 200;
            context.Response.Close();
        }
    }
}
