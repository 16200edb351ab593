using System.Globalization;
using System.Net;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Kill;

/// <summary>The hub as a process, killed while it reconciles.</summary>
public sealed class ReconciliationKillTests
{
    private const int Rows = 60_000;
    private const int Foreign = 1_500;

    [Fact]
    public async Task Run_that_was_killed_is_taken_up_at_the_next_start_and_ends()
    {
        var folder = Directory.CreateTempSubdirectory("hub-").FullName;
        try
        {
            var day = BillDay.Of(TimeProvider.System.GetUtcNow()).AddDays(-1);
            await File.WriteAllLinesAsync(Path.Combine(folder, "sandbox.book"), Enumerable.Range(0, Rows).Select(n => Charge(n, BillDay.Start(day).AddSeconds(n))));
            await using var hub = await OperatedHub.Start(folder);
            const string Api = "/api/v1/reconciliations";
            var id = (await hub.Admin.Post(Api, new { accountId = "M1", day = day.ToString("O", CultureInfo.InvariantCulture) }, HttpStatusCode.Accepted)).GetProperty("id").GetInt64();
            await State("running");
            await hub.Process.Kill();
            await hub.Process.Start();
            await State("finished");
            var totals = (await hub.Admin.Get($"{Api}/{id}")).GetProperty("differences").EnumerateArray().ToDictionary(d => d.GetProperty("class").GetString()!, d => d.GetProperty("count").GetInt32());
            Assert.Equal((Rows - Foreign, Foreign), (totals["onlyAtChannel"], totals["notOurs"]));
            Assert.Empty(Directory.GetFiles(Path.Combine(folder, "reconciliation")));

            Task State(string state) => Eventually.Holds(
                async () => (await hub.Admin.Get($"{Api}/{id}")).GetProperty("run").GetProperty("state").GetString() == state, "the run is " + state, TimeSpan.FromSeconds(60));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Charge(int n, DateTimeOffset at)
    {
        var order = n < Foreign ? "OTHER" + n : PaymentDecisions.ChannelOrderNumber(new PaymentId("GONE", n.ToString(CultureInfo.InvariantCulture)), 1, at);
        return string.Create(CultureInfo.InvariantCulture, $$"""{"at":"{{at:O}}","kind":"Charged","order":"{{order}}","amountFen":100,"account":"M1"}""");
    }
}
