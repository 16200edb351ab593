using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DeviceHub.IntegrationTests.Kill;

/// <summary>
/// The hub as a process, killed while it reconciles: the channel has sent a part of the bill and holds the rest back, so that the run has begun and
/// cannot have ended.
/// </summary>
public sealed class ReconciliationKillTests
{
    private const int Rows = 200_000;
    private const int Foreign = 198_500;
    private const string Api = "/api/v1/reconciliations";

    [Fact]
    public async Task Run_that_was_killed_inside_its_bill_is_taken_up_at_the_next_start_and_ends()
    {
        var folder = Directory.CreateTempSubdirectory("hub-").FullName;
        await using var bill = await SlowBill.Start();
        try
        {
            await using var hub = await OperatedHub.Start(folder, $"--WeChatPay:Url={bill.Url}", "--Reconciliation:Daily=false");
            var account = await NewAccount(hub);
            var id = (await hub.Admin.Post(Api, new { accountId = account, day = SlowBill.Day.ToString("O", CultureInfo.InvariantCulture) }, HttpStatusCode.Accepted)).GetProperty("id").GetInt64();

            // Each look lets some more rows out, never the last ones.
            var cut = await Eventually.Becomes(
                async () =>
                {
                    bill.LetOut();
                    return (await hub.Admin.Get($"{Api}/{id}")).GetProperty("run");
                },
                r => r.GetProperty("rowsRead").GetInt64() > 0,
                "rows are read",
                TimeSpan.FromSeconds(60));
            await hub.Process.Kill();
            Assert.Equal(("running", "download"), (cut.GetProperty("state").GetString(), cut.GetProperty("step").GetString()));
            Assert.InRange(cut.GetProperty("rowsRead").GetInt64(), 1, Rows - 1);
            Assert.Equal((1, 0), (bill.Asked, bill.SentWhole));
            Assert.NotEmpty(Directory.GetFiles(Path.Combine(folder, "reconciliation")));

            bill.LetAllOut();
            await hub.Process.Start();
            var ended = await Eventually.Becomes(
                () => hub.Admin.Get($"{Api}/{id}"), r => r.GetProperty("run").GetProperty("state").GetString() == "finished", "the run is finished", TimeSpan.FromSeconds(60));
            Assert.Equal((2, 1), (bill.Asked, bill.SentWhole));
            Assert.Equal((2, Rows), (ended.GetProperty("run").GetProperty("tries").GetInt32(), ended.GetProperty("bill").GetProperty("rows").GetInt32()));
            var totals = ended.GetProperty("differences").EnumerateArray().ToDictionary(d => d.GetProperty("class").GetString()!, d => d.GetProperty("count").GetInt32());
            Assert.Equal((Rows - Foreign, Foreign), (totals["onlyAtChannel"], totals["notOurs"]));
            Assert.Empty(Directory.GetFiles(Path.Combine(folder, "reconciliation")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> NewAccount(OperatedHub hub)
    {
        using var key = RSA.Create(2048);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=shop", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var merchant = (await hub.Admin.Post("/api/v1/merchants", new { name = "Tea shop" })).GetProperty("id").GetString();
        var fields = new
        {
            mchId = SlowBill.Merchant, appId = "wx0123456789abcdef", apiKey = new string('k', 32), clientCertificate = certificate.ExportCertificatePem(),
            clientPrivateKey = key.ExportPkcs8PrivateKeyPem(),
        };
        return (await hub.Admin.Post("/api/v1/channel-accounts", new { merchantId = merchant, channel = "wechat-v2", name = "Tea", fields })).GetProperty("id").GetString()!;
    }

    /// <summary>WeChat's downloadbill on loopback: it sends its rows as the test lets them out.</summary>
    private sealed class SlowBill : IAsyncDisposable
    {
        public const string Merchant = "1900000109";
        private const int RowsALook = 2_000;

        public static readonly DateOnly Day = BillDay.Of(TimeProvider.System.GetUtcNow()).AddDays(-1);

        private readonly SemaphoreSlim looks = new(0);
        private readonly TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly WebApplication app;
        private int asked;
        private int sentWhole;

        private SlowBill(WebApplication app) => this.app = app;

        public string Url => app.Urls.Single();

        public int Asked => Volatile.Read(ref asked);

        public int SentWhole => Volatile.Read(ref sentWhole);

        public static async Task<SlowBill> Start()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var bill = new SlowBill(builder.Build());
            bill.app.MapPost("/pay/downloadbill", bill.Send);
            await bill.app.StartAsync();
            return bill;
        }

        public void LetOut() => looks.Release();

        public void LetAllOut() => all.TrySetResult();

        public async ValueTask DisposeAsync()
        {
            await app.DisposeAsync();
            looks.Dispose();
        }

        private async Task Send(HttpContext http)
        {
            Interlocked.Increment(ref asked);
            await Write("交易时间,商户号,微信订单号,商户订单号,交易状态,商户退款单号,手续费,订单金额,申请退款金额\r\n");
            for (var from = 0; from < Rows; from += RowsALook)
            {
                // The last rows wait until everything may go.
                await (from + RowsALook < Rows ? Task.WhenAny(all.Task, looks.WaitAsync(http.RequestAborted)) : all.Task.WaitAsync(http.RequestAborted));
                http.RequestAborted.ThrowIfCancellationRequested();
                await Write(string.Concat(Enumerable.Range(from, RowsALook).Select(Row)));
            }

            await Write(string.Create(CultureInfo.InvariantCulture, $"总交易单数,手续费总金额,订单总金额,申请退款总金额\r\n`{Rows},`0.00,`{Rows}.00,`0.00\r\n"));
            Interlocked.Increment(ref sentWhole);

            Task Write(string text) => http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), http.RequestAborted).AsTask();
        }

        private static string Row(int n)
        {
            var at = BillDay.Start(Day).AddMilliseconds(n);
            var order = n < Foreign ? "OTHER" + n : PaymentDecisions.ChannelOrderNumber(new PaymentId("GONE", n.ToString(CultureInfo.InvariantCulture)), 1, at);
            return string.Create(CultureInfo.InvariantCulture, $"`{at:yyyy-MM-dd HH:mm:ss},`{Merchant},`T{n},`{order},`SUCCESS,`,`0.00,`1.00,`0.00\r\n");
        }
    }
}
