using System.Net;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.IntegrationTests.Charges;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.IntegrationTests.Kill;

/// <summary>A hub that is killed between the till's question and the customer's scan, and between the scan and its outcome.</summary>
public sealed class ChargeKillTests
{
    [Fact]
    public async Task Charge_outlives_the_hubs_death_before_its_scan_and_its_payment_outlives_the_next()
    {
        var port = Ports.Free();
        await using var hub = await OperatedHub.Start(
            null, "--Sandbox:PasswordAfter=00:00:03", "--Charges:SweepEvery=00:00:00.5", "--Charges:CollectingWait=00:00:20", $"--Webhooks:AllowedHosts:0=127.0.0.1:{port}");
        await using var known = await hub.LoggedIn();
        var merchant = (await hub.Admin.Get($"/api/v1/terminals/{known.SerialNumber}")).GetProperty("merchantId").GetString();
        await hub.Admin.Put($"/api/v1/merchants/{merchant}/webhook", new { url = $"http://127.0.0.1:{port}/", secret = new string('s', 32) });
        await using var before = Collector(hub, known);
        await before.Login();
        var path = $"/api/v1/terminals/{known.SerialNumber}/charges";
        var body = new { amountFen = OperatedHub.AsksForPassword, orderNumber = "K-1", idempotencyKey = "k" };
        var id = (await hub.Admin.Post(path, body)).GetProperty("id").GetString()!;
        Assert.Equal(id, (await before.Expect(Downlink.BodyOneofCase.Collect)).Collect.ChargeId);
        await before.SendSealed(new Uplink { Collecting = new() { ChargeId = id } });
        await Eventually.Holds(async () => (await hub.Admin.Get($"{path}/{id}")).GetProperty("stage").GetString() == "collecting", "the terminal collects");

        await hub.Process.Kill();
        await hub.Process.Start();
        Assert.Equal(id, (await hub.Admin.Post(path, body, HttpStatusCode.OK)).GetProperty("id").GetString());
        await using var after = Collector(hub, known);
        await after.Login();
        var collect = (await after.Expect(Downlink.BodyOneofCase.Collect)).Collect;
        Assert.Equal(id, collect.ChargeId);
        var request = after.Answer(collect);
        await after.Pay(request);
        await after.Expect(Downlink.BodyOneofCase.Accepted);

        await hub.Process.Kill();
        await hub.Process.Start();
        var closed = await Eventually.Becomes(() => hub.Admin.Get($"{path}/{id}"), c => c.GetProperty("stage").GetString() == "closed", "the charge ends", TimeSpan.FromSeconds(60));
        Assert.Equal(request.RequestId, closed.GetProperty("payment").GetProperty("id").GetProperty("requestId").GetString());
        Assert.Contains(closed.GetProperty("ended").GetString(), (string[])["paid", "notCharged", "refunded"]);

        // What nobody could be told outlives a death, too.
        Assert.Equal(1, (await hub.Admin.Get($"/api/v1/merchants/{merchant}/webhook")).GetProperty("waiting").GetInt64());
        await hub.Process.Kill();
        using var receiver = new WebhookReceiver(port);
        await hub.Process.Start();
        await Eventually.Holds(() => receiver.Of("/").Any(c => c.Id == id + "-1"), "the webhook is told");
    }

    private static TestTerminal Collector(OperatedHub hub, TestTerminal known) => new(known.SerialNumber, hub.Process.MqttPort) { Key = known.Key, Collects = true };
}
