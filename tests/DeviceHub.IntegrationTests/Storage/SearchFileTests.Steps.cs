using System.Globalization;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>What the tests do with the file, and hear of it.</summary>
public sealed partial class SearchFileTests
{
    private StorageFixture Open(Action<StorageOptions>? configure = null) => new(configure, folder, told.Of<SearchFile>());

    /// <summary>A hub that takes payments, some of which are settled, shows them and is closed: what it has shown.</summary>
    private async Task<List<string>> Fill(int payments, int from = 0)
    {
        using var hub = Open();
        var writes = new List<Task>();
        for (var i = from; i < payments; i++)
        {
            var id = new PaymentId($"T{i % 5}", $"request-{i}");
            writes.Add(hub.Ledger.Accept(Accept(id.RequestId, id.SerialNumber, 100 + i), default).AsTask());
        }

        await Task.WhenAll(writes);
        for (var i = from; i < payments; i++)
        {
            var id = new PaymentId($"T{i % 5}", $"request-{i}");
            writes.Add(i % 3 == 0 ? Task.CompletedTask : hub.Ledger.Append(i % 3 == 1 ? Approve(id) : Decline(id)).AsTask());
        }

        await Task.WhenAll(writes);
        await Follow(hub);
        return await Listed(hub);
    }

    /// <summary>Written at once, in order.</summary>
    private static async Task Accepted(StorageFixture hub, string name, int payments)
    {
        var accepts = Enumerable.Range(0, payments).Select(i => hub.Ledger.Accept(Accept($"{name}-{i}", sn: $"T{i % 7}"), default).AsTask());
        Assert.All(await Task.WhenAll(accepts), a => Assert.Equal(WriteResult.Written, a.Result));
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        HubDatabase.Execute(connection, sql);
    }

    private static async Task Follow(StorageFixture hub)
    {
        while (await hub.Projection.Step() > 0)
        {
        }
    }

    private static Task<long> Behind(StorageFixture hub) => hub.Reads.Search((db, stop) => db.PaymentsBehind(stop));

    private static async Task<List<string>> Listed(StorageFixture hub) =>
        (await hub.Reads.Search((db, stop) => db.Payments.OrderBy(p => p.Seq).ToListAsync(stop)))
            .ConvertAll(p => string.Create(CultureInfo.InvariantCulture, $"{p.Seq} {p.SerialNumber} {p.RequestId} {p.Version} {p.AmountFen} {p.Result} {p.ChannelOrderNumber}"));
}
