using System.Diagnostics;
using System.Globalization;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using DeviceHub.Tools.Bench.Driver;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.Tools.Bench.Targets;

/// <summary>
/// The whole hub in a process of its own reconciles one bill with a ledger of as many payments: every row is ours but one in a hundred, and one
/// in a thousand of ours differs. The rows are made as they are read; a channel's parser is not in it.
/// </summary>
internal static class ReconcileChild
{
    private const string Account = "A-bench";

    private static readonly DateOnly Day = new(2026, 11, 20);

    public static async Task<int> Run(int rows)
    {
        var folder = Directory.CreateTempSubdirectory("devicehub-bench-");
        try
        {
            await using var app = HubApplication.Build([], builder =>
            {
                builder.Configuration.AddInMemoryCollection(HubChild.Options);
                builder.Configuration["Server:DataFolder"] = folder.FullName;
                builder.Configuration["Reconciliation:Daily"] = "false";
                builder.Configuration["Reconciliation:LookEvery"] = "01:00:00";
            });
            await app.StartAsync();
            Fill(app.Services.GetRequiredService<HubDatabase>().File, rows);
            var writes = app.Services.GetRequiredService<HubWrites>();
            var book = app.Services.GetRequiredService<IReconciliationBook>();
            await Measure(writes, book, Math.Min(rows, 20_000), rows);
            var (seconds, growth) = await Measure(writes, book, rows, rows);
            var again = await Measure(writes, book, rows, rows);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"reconciled {rows} {seconds:0.00} {growth} {again.Seconds:0.00} {again.Growth}"));
            await app.StopAsync();
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
    }

    private static async Task<(double Seconds, long Growth)> Measure(HubWrites writes, IReconciliationBook book, int rows, int payments)
    {
        await writes.Run(async (db, stop) =>
        {
            var run = db.Reconciliations.FirstOrDefault(r => r.AccountId == Account);
            if (run is null)
            {
                run = new ReconciliationRow { AccountId = Account, Channel = "sandbox", MerchantId = Account, Day = Day, RequestedBy = "bench" };
                db.Reconciliations.Add(run);
            }

            (run.State, run.NextAt, run.Requests) = (RunState.Waiting, DateTimeOffset.UnixEpoch, run.Requests + 1);
            await db.SaveChangesAsync(stop);
        });
        var taken = await book.Take([], TimeProvider.System.GetUtcNow(), CancellationToken.None) ?? throw new BenchException("no run is due");
        GC.Collect();
        await File.WriteAllTextAsync("/proc/self/clear_refs", "5");
        var before = Peak();
        var watch = Stopwatch.StartNew();
        await book.Reconcile(taken, Bill(rows, payments), TimeProvider.System.GetUtcNow(), CancellationToken.None);
        return (watch.Elapsed.TotalSeconds, Peak() - before);
    }

    /// <summary>Bytes that were resident at most since the mark was set back.</summary>
    private static long Peak() =>
        long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;

    /// <summary>In an order of the channel's own: not ours.</summary>
    private static async IAsyncEnumerable<BillRow> Bill(int rows, int payments)
    {
        await Task.Yield();
        var line = 0;
        for (var i = 0; i < rows; i++)
        {
            var n = (int)((i * 7919L) % payments);
            var (number, fen) = (Order(n, payments), (n % 10_000) + 1L);
            if (n % 1_000 == 7)
            {
                // Missing in the bill.
                continue;
            }

            yield return new BillRow(++line, BillRowKind.Payment, n % 100 == 50 ? "FOREIGN" + n : number, null, "42000" + n, n % 1_000 == 3 ? fen + 1 : fen, 0, At(n, payments));
        }
    }

    private static DateTimeOffset At(int n, int payments) => BillDay.Start(Day).AddMilliseconds(n * (86_300_000.0 / payments));

    private static string Order(int n, int payments) => PaymentDecisions.ChannelOrderNumber(new PaymentId("BENCH", n.ToString(CultureInfo.InvariantCulture)), 1, At(n, payments));

    /// <summary>The ledger's projection as its own writer leaves it.</summary>
    private static void Fill(string file, int payments)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var transaction = connection.BeginTransaction();
        using var payment = connection.CreateCommand();
        payment.CommandText =
            """
            INSERT INTO payment(seq, serial_number, request_id, version, accepted_at, merchant_id, store_id, amount_fen, wallet, code_last_four, stage, result,
              reason, revision, shown_revision, paid_fen, discount_fen, attempts, needs_attention)
            VALUES ($n, 'BENCH', $r, 3, $at, 'M', 'S', $fen, 1, '1234', 5, 1, 0, 1, 1, $fen, 0, 1, 0)
            """;
        using var attempt = connection.CreateCommand();
        attempt.CommandText = "INSERT INTO attempt(account, order_number, payment_seq, number, money, refunds) VALUES ('A-bench', $order, $n, 1, 2, 0)";
        for (var n = 0; n < payments; n++)
        {
            Set(payment, ("$n", n + 1), ("$r", n.ToString(CultureInfo.InvariantCulture)), ("$at", At(n, payments).ToUnixTimeMilliseconds()), ("$fen", (n % 10_000) + 1));
            Set(attempt, ("$order", Order(n, payments)), ("$n", n + 1));
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
