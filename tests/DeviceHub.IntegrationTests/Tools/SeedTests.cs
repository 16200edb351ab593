using DeviceHub.Core.Charges;
using DeviceHub.IntegrationTests.Storage;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using DeviceHub.Tools.Seed;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.IntegrationTests.Tools;

public sealed class SeedTests
{
    private static readonly SeedSetup Setup = new("", Terminals: 60, Payments: 1_500, Weeks: 1, Seed: 7, new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Seeded_folder_has_what_was_asked_for_and_its_searchable_payments_are_those_of_its_ledger()
    {
        using var folder = new Folder();
        await SeedRun.Fill(Setup with { Folder = folder.Path }, add: false, _ => { }, CancellationToken.None);

        using var hub = new StorageFixture(folder: folder.Path);
        var payments = await hub.Reads.Search((db, stop) => db.Payments.OrderBy(p => p.Seq).ToListAsync(stop));
        Assert.InRange(payments.Count, 1_490, 1_500);
        Assert.Equal(0, await hub.Reads.Search((db, stop) => db.PaymentsBehind(stop)));
        Assert.All(payments, p => Assert.InRange(p.AcceptedAt, Setup.From, Setup.Until));
        Assert.Contains(payments, p => p.NeedsAttention);
        Assert.Contains(payments, p => p.Stage == Core.Payments.PaymentStage.InDoubt);
        Assert.Contains(payments, p => p.RefundedFen > 0);
        Assert.Contains(payments, p => p.Result == Core.Payments.PaymentResult.Declined);
        Assert.Equal(60, await hub.Reads.Run((db, stop) => db.Terminals.CountAsync(stop)));
        Assert.True(await hub.Reads.Run((db, stop) => db.LastSeen.CountAsync(stop)) > 50);
        Assert.True(await hub.Reads.Run((db, stop) => db.ActivationCodes.AnyAsync(stop)));
        Assert.InRange(await hub.Reads.Run((db, stop) => db.LastSeen.CountAsync(l => l.Connected, stop)), 40, 60);
        Assert.True(await hub.Reads.Run((db, stop) => db.Audit.CountAsync(stop)) > 200);
        Assert.True(await hub.Reads.Run((db, stop) => db.Sessions.AnyAsync(s => s.Ended == null, stop)));
        Assert.Equal(60, await hub.Reads.Run((db, stop) => db.ApiKeys.CountAsync(stop)));
        Assert.Equal(31, await hub.Reads.Run((db, stop) => db.Users.CountAsync(stop)));
        var charges = await hub.Reads.Run((db, stop) => db.Charges.ToListAsync(stop));
        Assert.Contains(charges, c => c.Ended == ChargeEnd.Paid && payments.Any(p => $"{p.SerialNumber}/{p.RequestId}" == c.Payment && p.OrderNumber == c.OrderNumber));
        Assert.All(charges, c => Assert.Null(c.DueAt));
        using var empty = new StorageFixture();
        Assert.Equal(await Indexes(empty), await Indexes(hub));
        var last = payments.First(p => p.Stage == Core.Payments.PaymentStage.InDoubt);
        var history = await hub.Ledger.Read(new(last.SerialNumber, last.RequestId));
        Assert.Equal(last.Version, history!.Version);
    }

    [Fact]
    public async Task Same_seed_gives_the_same_payments()
    {
        using var one = new Folder();
        using var two = new Folder();
        var small = Setup with { Terminals = 10, Payments = 200 };
        await SeedRun.Fill(small with { Folder = one.Path }, add: false, _ => { }, CancellationToken.None);
        await SeedRun.Fill(small with { Folder = two.Path }, add: false, _ => { }, CancellationToken.None);

        Assert.Equal(await Payments(one.Path), await Payments(two.Path));
    }

    [Fact]
    public async Task Folder_that_is_in_use_or_not_empty_is_refused_and_one_is_added_to_on_request()
    {
        using var folder = new Folder();
        File.WriteAllText(Path.Combine(folder.Path, "notes.txt"), "mine");
        var tiny = Setup with { Folder = folder.Path, Terminals = 3, Payments = 10 };
        Task Fill(SeedSetup setup, bool add) => SeedRun.Fill(setup, add, _ => { }, CancellationToken.None);

        Assert.Contains("is not empty", (await Assert.ThrowsAsync<SeedException>(() => Fill(tiny, add: false))).Message, StringComparison.Ordinal);
        await Fill(tiny, add: true);
        Assert.Contains("another --seed", (await Assert.ThrowsAsync<SeedException>(() => Fill(tiny, add: true))).Message, StringComparison.Ordinal);
        using var held = new FileStream(Path.Combine(folder.Path, "hub.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        Assert.Contains("in use by another hub", (await Assert.ThrowsAsync<StartException>(() => Fill(tiny with { Seed = 2 }, add: true))).Message, StringComparison.Ordinal);
    }

    private static ValueTask<List<string>> Indexes(StorageFixture hub) => hub.Pool.Read(0, static (db, _) =>
    {
        var rows = db.Prepare("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name");
        var all = new List<string>();
        while (rows.Next())
        {
            all.Add(rows.Text(0));
        }

        return all;
    });

    private static async Task<List<string>> Payments(string folder)
    {
        using var hub = new StorageFixture(folder: folder);
        return await hub.Reads.Search((db, stop) => db.Payments.OrderBy(p => p.Seq)
            .Select(p => $"{p.SerialNumber} {p.AcceptedAt} {p.AmountFen} {p.Result} {p.Version} {p.MerchantId} {p.OrderNumber} {p.FinalAt}").ToListAsync(stop));
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("hub-seed-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
