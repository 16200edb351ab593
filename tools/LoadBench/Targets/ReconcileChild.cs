using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using DeviceHub.Tools.LoadBench.Driver;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>
/// The whole hub in a process of its own reconciles one bill that it downloads from <see cref="WeChatBillServer"/> through the channel wechat-v2.
/// Counted is from the moment a run is asked for until it is finished: download, unzipping, parsing, sorting, matching, the report. The ledger is
/// filled by another process before, so that nothing of that is in the memory that growth is counted from.
/// </summary>
internal static class ReconcileChild
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Makes the account and the ledger, and ends.</summary>
    public static async Task<int> Fill(string folder, int payments)
    {
        await using var app = Build(folder, "https://127.0.0.1");
        await app.StartAsync();
        var now = TimeProvider.System.GetUtcNow();
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(1));
        var store = app.Services.GetRequiredService<ChannelAccountStore>();
        var account = new ChannelAccount
        {
            Id = BenchBooks.Account,
            MerchantId = "M",
            Channel = "wechat-v2",
            Settings = new Dictionary<string, string>
            {
                ["mchId"] = BenchBooks.Merchant, ["appId"] = "wx0123456789abcdef", ["clientCertificate"] = certificate.ExportCertificatePem(),
            },
            Secrets = new Dictionary<string, SecretText> { ["apiKey"] = new(new string('k', 32)), ["clientPrivateKey"] = new(key.ExportPkcs8PrivateKeyPem()) },
            SecretsSince = new Dictionary<string, DateTimeOffset> { ["apiKey"] = now, ["clientPrivateKey"] = now },
            Terms = new AccountTerms { Name = "bench", FeeBasisPoints = BenchBooks.FeeBasisPoints },
            Version = 1,
        };
        await app.Services.GetRequiredService<HubWrites>().Run(async (db, stop) =>
        {
            db.Merchants.Add(new MerchantRow { Id = account.MerchantId, Name = "Bench", Created = now });
            store.Put(db, account, now);
            await db.SaveChangesAsync(stop);
        });
        var search = app.Services.GetRequiredService<SearchFile>();
        _ = search.Writes;
        FillSearched(search.File, payments);
        await app.StopAsync();
        return 0;
    }

    /// <summary>Reconciles twice: the second time every difference is there already.</summary>
    public static async Task<int> Run(string folder, int rows, string url)
    {
        await using var app = Build(folder, url);
        await app.StartAsync();
        var first = await Measure(app.Services, rows);
        var again = await Measure(app.Services, rows);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"reconciled {first.Seconds:0.00} {first.Growth} {again.Seconds:0.00} {again.Growth}"));
        await app.StopAsync();
        return 0;
    }

    private static WebApplication Build(string folder, string url) => HubApplication.Build([], builder =>
    {
        builder.Configuration.AddInMemoryCollection(HubChild.Options);
        builder.Configuration["Server:DataFolder"] = folder;
        builder.Configuration["Reconciliation:Daily"] = "false";
        builder.Configuration["WeChatPay:Url"] = url;
    });

    private static async Task<(double Seconds, long Growth)> Measure(IServiceProvider services, int rows)
    {
        var (writes, reads) = (services.GetRequiredService<HubWrites>(), services.GetRequiredService<HubReads>());
        ChildLoop.Collect();
        await File.WriteAllTextAsync("/proc/self/clear_refs", "5");
        var before = Peak();
        var watch = Stopwatch.StartNew();
        await writes.Run(async (db, stop) =>
        {
            var run = db.Reconciliations.FirstOrDefault(r => r.AccountId == BenchBooks.Account);
            if (run is null)
            {
                run = new ReconciliationRow { AccountId = BenchBooks.Account, Channel = "wechat-v2", MerchantId = "M", Day = BenchBooks.Day, RequestedBy = "bench" };
                db.Reconciliations.Add(run);
            }

            (run.State, run.NextAt, run.Requests, run.Tries) = (RunState.Waiting, DateTimeOffset.UnixEpoch, run.Requests + 1, 0);
            await db.SaveChangesAsync(stop);
        });
        services.GetRequiredService<Reconciler>().Look();
        while (true)
        {
            var run = await reads.Run((db, _) => Task.FromResult(db.Reconciliations.First(r => r.AccountId == BenchBooks.Account)));
            if (run.State == RunState.Finished)
            {
                var (seconds, growth) = (watch.Elapsed.TotalSeconds, Peak() - before);
                return run.BillRows == rows && run.Matched == BenchBooks.Matched(rows)
                    ? (seconds, growth)
                    : throw new BenchException($"of {rows} rows it read {run.BillRows} and matched {run.Matched}, not {BenchBooks.Matched(rows)}");
            }

            if (run.Fault is not null || watch.Elapsed > Limit)
            {
                throw new BenchException($"the run is {run.State} after {watch.Elapsed}: {run.Fault}");
            }

            await Task.Delay(50);
        }
    }

    /// <summary>Bytes that were resident at most since the mark was set back.</summary>
    private static long Peak() =>
        long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;

    /// <summary>What is made from the ledger, which is what reconciliation reads, as its own writer leaves it.</summary>
    private static void FillSearched(string file, int payments)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var transaction = connection.BeginTransaction();
        using var payment = connection.CreateCommand();
        payment.CommandText =
            """
            INSERT INTO payment(seq, serial_number, request_id, version, accepted_at, merchant_id, store_id, amount_fen, wallet, code_last_four, stage, result,
              reason, revision, shown_revision, paid_fen, discount_fen, attempts, needs_attention)
            VALUES ($n, $sn, $r, 3, $at, 'M', 'S', $fen, 1, '1234', 5, 1, 0, 1, 1, $fen, 0, 1, 0)
            """;
        using var attempt = connection.CreateCommand();
        attempt.CommandText = "INSERT INTO attempt(account, order_number, payment_seq, number, money, refunds) VALUES ($account, $order, $n, 1, 2, 0)";
        for (var n = 0; n < payments; n++)
        {
            var id = BenchBooks.Id(n);
            Set(payment, ("$n", n + 1), ("$sn", id.SerialNumber), ("$r", id.RequestId), ("$at", BenchBooks.At(n, payments).ToUnixTimeMilliseconds()), ("$fen", BenchBooks.Fen(n)));
            Set(attempt, ("$account", BenchBooks.Account), ("$order", BenchBooks.Order(n, payments)), ("$n", n + 1));
        }

        transaction.Commit();
    }

    private static void Set(SqliteCommand command, params (string Name, object Value)[] values)
    {
        foreach (var (name, value) in values)
        {
            if (command.Parameters.Contains(name))
            {
                command.Parameters[name].Value = value;
            }
            else
            {
                command.Parameters.AddWithValue(name, value);
            }
        }

        command.ExecuteNonQuery();
    }
}
