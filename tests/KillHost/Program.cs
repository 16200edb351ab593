using DeviceHub.Channels.Sandbox;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;

// Payments without a network: the grain in a silo, the ledger on disk, the Sandbox in another process. Arguments: --urls, --silo PORT,
// --data FOLDER, --Sandbox:Url, --Payments:.... It lives to be killed.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddHubStorage(builder.Configuration["data"]!);
builder.Services.AddSingleton(new HubKeys(new byte[32]));
builder.UseOrleans(silo => silo.UseLocalhostClustering(builder.Configuration.GetValue<int>("silo"), gatewayPort: 0));
builder.Services.AddPayments().AddSandbox();
var app = builder.Build();
var grains = app.Services.GetRequiredService<IGrainFactory>();
var clock = app.Services.GetRequiredService<TimeProvider>();

app.MapPost("/pay/{sn}/{request}/{amount:long}", async (string sn, string request, long amount) =>
{
    var id = new PaymentId(sn, request);
    var now = clock.GetUtcNow();
    var wanted = new PaymentRequest(request, amount, "CNY", new PaymentCode("134567890123456789"), null, TimeSpan.Zero, TimeSpan.FromSeconds(30));
    var order = new PaymentOrder(id, wanted, Wallet.WeChat, "M1", "Noodle shop", "S1", now.AddSeconds(30));
    var answer = await grains.GetGrain<IPaymentGrain>(id.ToString()).Accept(order);
    return answer.View is null ? Results.Conflict(answer.Refusal!.Detail) : Results.Ok();
});
app.MapGet("/payments/{sn}/{request}", async (string sn, string request) =>
{
    var answer = await grains.GetGrain<IPaymentGrain>($"{sn}/{request}").Find(null);
    return answer.View is { } view ? Results.Text($"{view.Stage} {view.Result}") : Results.Text("None None");
});
app.MapGet("/payments/{sn}/{request}/order", async (string sn, string request, IPaymentLedger ledger) =>
    (await ledger.Read(new PaymentId(sn, request)))?.Events.OfType<AttemptStarted>().Last().ChannelOrderNumber ?? "");
app.MapGet("/ready", () => "ready");
await app.RunAsync();
