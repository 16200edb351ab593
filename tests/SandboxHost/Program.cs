using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Payments;

// The Sandbox's bank as a process of its own: it goes on charging when the hub dies.
// dotnet run --project tests/SandboxHost -- --urls http://127.0.0.1:7070 --book FILE [--Sandbox:PasswordAfter 00:00:02 ...]
var builder = WebApplication.CreateSlimBuilder(args);
if (builder.Configuration["book"] is { } book)
{
    builder.Configuration["Sandbox:Book"] = book;
}

builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 64 * 1024);
builder.Services.AddSandboxBank();
var app = builder.Build();
var bank = app.Services.GetRequiredService<SandboxBank>();
var clock = app.Services.GetRequiredService<TimeProvider>();

Map("/pay", call => bank.Pay(call.Order, call.AmountFen, new PaymentCode(call.Code ?? "")));
Map("/query", call => bank.Query(call.Order));
Map("/reverse", call => bank.Reverse(call.Order));
Map("/refund", call => bank.Refund(call.Order, call.Refund ?? "", call.AmountFen));
Map("/refund-query", call => bank.QueryRefund(call.Order, call.Refund ?? ""));
app.MapGet("/book", () => Results.Json(bank.Charges(), SandboxJson.Default.IReadOnlyListSandboxCharge));

await app.StartAsync();
foreach (var url in app.Urls)
{
    Console.WriteLine($"Sandbox listens on {url}");
}

await app.WaitForShutdownAsync();

void Map(string path, Func<SandboxCall, SandboxAnswer> act) => app.MapPost(path, async (HttpContext context) =>
{
    var call = await context.Request.ReadFromJsonAsync(SandboxJson.Default.SandboxCall);
    if (call is not { Order.Length: > 0 and <= 64 } || call.AmountFen <= 0)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return;
    }

    var answer = act(call);
    await Task.Delay(answer.After, clock, context.RequestAborted);
    await context.Response.WriteAsJsonAsync(answer.Verdict, SandboxJson.Default.ChannelVerdict);
});
