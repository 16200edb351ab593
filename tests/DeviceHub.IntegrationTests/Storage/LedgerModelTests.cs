using System.Collections.Concurrent;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>Many writers at once on few payments and orders, while commits fail, against the simplest model: what was answered is true.</summary>
public sealed class LedgerModelTests
{
    private const int Writers = 8;
    private const int OperationsAWriter = 150;

    [Theory]
    [InlineData(3)]
    [InlineData(4_096)]
    public async Task Every_answer_is_true_when_writers_race_and_commits_fail(int keyBatch)
    {
        var seed = EnvironmentNumber.Of("DEVICEHUB_SEED", 1);
        using var hub = new StorageFixture(o => o.KeyBatch = keyBatch);
        var chance = new Random(seed);
        var failed = 0;
        var calm = false;
        delegate_commit failing = _ =>
        {
            // Called by the writer's one thread: SQLite turns this commit into a rollback, and the writer must find out what is there.
            var fails = !calm && chance.Next(4) == 0;
            failed += fails ? 1 : 0;
            return fails ? 1 : 0;
        };
        hub.Database.Connected = connection => raw.sqlite3_commit_hook(connection.Handle!, failing, null);
        var answers = new ConcurrentQueue<(PaymentId Id, int Version, byte[] Body, WriteResult Result, string? Order)>();

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => Write(hub.Ledger, new Random((seed * 100) + writer), answers))));
        calm = true;

        Assert.True(failed > 10, $"only {failed} commits failed");
        Assert.Contains(answers, a => a.Result == WriteResult.Written);
        Assert.Contains(answers, a => a.Result == WriteResult.Conflict);
        Assert.Contains(answers, a => a.Result == WriteResult.NotWritten);
        var rows = Rows(hub);
        foreach (var answer in answers)
        {
            var there = rows.TryGetValue((answer.Id, answer.Version), out var body) && body.AsSpan().SequenceEqual(answer.Body);
            Assert.True(
                answer.Result == WriteResult.Unknown || there == (answer.Result == WriteResult.Written),
                $"seed {seed}: {answer.Id} v{answer.Version} was answered {answer.Result}, and is {(there ? "there" : "not there")}");
        }

        Assert.All(answers.Where(a => a.Result == WriteResult.Written).GroupBy(a => (a.Id, a.Version)), same => Assert.Single(same));
        Assert.All(answers.Where(a => a is { Result: WriteResult.Written, Order: not null }).GroupBy(a => a.Order), same => Assert.Single(same));
        Assert.All(rows.Keys.GroupBy(k => k.Id), versions => Assert.Equal(Enumerable.Range(1, versions.Count()), versions.Select(v => v.Version).Order()));
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("afterwards"), default)).Result);
        await IsKept(hub, answers);
        hub.Ledger.Dispose();
        using var after = new StorageFixture(o => o.KeyBatch = keyBatch, hub.Folder);
        await IsKept(after, answers);
    }

    /// <summary>Payments and the orders that they hold are taken, whether their keys are written or wait.</summary>
    private static async Task IsKept(StorageFixture hub, IEnumerable<(PaymentId Id, int Version, byte[] Body, WriteResult Result, string? Order)> answers)
    {
        foreach (var accepted in answers.Where(a => a is { Version: 1, Result: WriteResult.Written }))
        {
            Assert.NotNull(await hub.Ledger.Read(accepted.Id));
            Assert.Equal(WriteResult.Conflict, (await hub.Ledger.Accept(Accept(accepted.Id.RequestId), default)).Result);
            Assert.Equal(accepted.Order is null ? default : accepted.Id, accepted.Order is null ? default : (await hub.Ledger.Accept(Accept("else", order: accepted.Order), default)).Other);
        }
    }

    private static async Task Write(
        LedgerWriter ledger, Random random, ConcurrentQueue<(PaymentId Id, int Version, byte[] Body, WriteResult Result, string? Order)> answers)
    {
        for (var i = 0; i < OperationsAWriter; i++)
        {
            var id = new PaymentId("T1", $"request-{random.Next(40)}");
            if (random.Next(2) == 0)
            {
                var accept = Accept(id.RequestId, order: random.Next(3) == 0 ? $"A{random.Next(10)}" : null);
                answers.Enqueue((id, 1, PaymentEventJson.Write(accept.Events), (await ledger.Accept(accept, default)).Result, accept.OrderNumber));
            }
            else
            {
                // No two appends are the same: each says how far this writer is.
                var version = random.Next(2, 5);
                var append = new LedgerAppend(
                    id, version, [new AttentionNeeded(Now.AddTicks(random.NextInt64(1, long.MaxValue / 4)), $"{i}")], [], Now, new PaymentStanding(null, false, false));
                answers.Enqueue((id, version, PaymentEventJson.Write(append.Events), await ledger.Append(append), null));
            }
        }
    }

    private static Dictionary<(PaymentId Id, int Version), byte[]> Rows(StorageFixture hub)
    {
        var rows = new Dictionary<(PaymentId, int), byte[]>();
        using var connection = hub.Foreign();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT sn, request_id, version, body FROM payment_event";
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            rows.Add((new PaymentId(reader.GetString(0), reader.GetString(1)), reader.GetInt32(2)), (byte[])reader.GetValue(3));
        }

        return rows;
    }
}
