using DeviceHub.Core.People;
using DeviceHub.IntegrationTests.Storage;
using DeviceHub.Server.Hosting;
using DeviceHub.Server.People;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>How long a session goes on, and what is kept of it: months, on a clock that the tests move. A session ends after 8 hours without use and after 30 days of it.</summary>
public sealed class SessionLifetimeTests : IDisposable
{
    private static readonly Actor Wang = new("user:wang", "127.0.0.1");
    private static readonly TimeSpan Idle = TimeSpan.FromHours(8);
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(30);
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly StorageFixture storage = new();
    private readonly FakeTimeProvider clock = new(Now);
    private readonly HubUser user = new() { UserName = "wang", NormalizedUserName = "WANG", Role = Roles.Operator, Created = Now, SecurityStamp = "1" };

    [Fact]
    public async Task Session_that_is_used_all_the_time_ends_when_it_is_too_old()
    {
        using var book = Book();
        var id = await Begin(book);
        for (var age = TimeSpan.Zero; age < MaxAge - Idle; age += Idle)
        {
            clock.Advance(Idle);
            Assert.NotNull(await book.Find(id, default));
            book.Touch(id);
        }

        clock.SetUtcNow(Now + MaxAge);
        Assert.NotNull(await book.Find(id, default));
        book.Touch(id);
        clock.Advance(Second);
        Assert.Null(await book.Find(id, default));
        Assert.Empty(await book.List(user.Id, default));
        book.Touch(id);
        Assert.Null(await book.Find(id, default));
    }

    [Fact]
    public async Task Session_that_is_only_asked_about_ends_for_want_of_use()
    {
        using var book = Book();
        var id = await Begin(book);
        for (var waited = TimeSpan.Zero; waited < Idle; waited += TimeSpan.FromMinutes(30))
        {
            Assert.NotNull(await book.Find(id, default));
            clock.Advance(TimeSpan.FromMinutes(30));
        }

        clock.Advance(Second);
        Assert.Null(await book.Find(id, default));
        Assert.Empty(await book.List(user.Id, default));
    }

    [Fact]
    public async Task What_was_used_last_outlives_the_process()
    {
        string id;
        DateTimeOffset used;
        using (var book = Book())
        {
            id = await Begin(book);
            clock.Advance(Idle - Minute);
            Assert.NotNull(await book.Find(id, default));
            book.Touch(id);
            used = clock.GetUtcNow();
            await book.StartAsync(default);

            // When it begins to count its minute, nobody is told.
            await Eventually.Becomes(
                async () =>
                {
                    clock.Advance(Second);
                    return (await Row(id))!.LastSeen;
                },
                seen => seen == used,
                "when it was used is written");
            await book.StopAsync(default);
        }

        using var later = Book();
        clock.SetUtcNow(used + Idle);
        Assert.NotNull(await later.Find(id, default));
        clock.Advance(Second);
        Assert.Null(await later.Find(id, default));
    }

    [Fact]
    public async Task Sweep_ends_what_is_over_and_drops_it_when_it_was_kept_long_enough()
    {
        using var book = Book();
        var idle = await Begin(book);
        var going = await Begin(book);
        clock.Advance(Idle);
        Assert.NotNull(await book.Find(going, default));
        book.Touch(going);
        clock.Advance(Second);
        await book.Sweep(default);
        Assert.Equal(clock.GetUtcNow(), (await Row(idle))!.Ended);
        Assert.Null((await Row(going))!.Ended);

        clock.Advance(Kept);
        await book.Sweep(default);
        Assert.NotNull(await Row(idle));
        Assert.Equal(clock.GetUtcNow(), (await Row(going))!.Ended);
        clock.Advance(Second);
        await book.Sweep(default);
        Assert.Null(await Row(idle));
        Assert.NotNull(await Row(going));
    }

    [Fact]
    public async Task Sweep_ends_what_is_too_old_although_it_is_used()
    {
        using var book = Book();
        var id = await Begin(book);
        clock.Advance(MaxAge - Idle);
        await storage.Writes.Run((db, stop) => db.Sessions.ExecuteUpdateAsync(s => s.SetProperty(r => r.LastSeen, clock.GetUtcNow()), stop));
        clock.Advance(Idle);
        Assert.NotNull(await book.Find(id, default));
        book.Touch(id);
        await book.Sweep(default);
        Assert.Null((await Row(id))!.Ended);
        clock.Advance(Second);
        book.Touch(id);
        await book.Sweep(default);
        Assert.NotNull((await Row(id))!.Ended);
    }

    [Fact]
    public async Task More_sessions_than_one_sweep_writes_come_in_turn()
    {
        using var book = Book();
        await Begin(book);
        var ids = Enumerable.Range(0, 1_200).Select(i => $"session-{i}").ToList();
        await storage.Writes.Run((db, stop) =>
        {
            db.Sessions.AddRange(ids.Select(id => new SessionRow { Id = id, UserId = user.Id, Created = Now, LastSeen = Now }));
            return db.SaveChangesAsync(stop);
        });
        for (var sweep = 0; sweep < 2; sweep++)
        {
            clock.Advance(Minute);
            foreach (var id in ids)
            {
                Assert.NotNull(await book.Find(id, default));
                book.Touch(id);
            }

            await book.Sweep(default);
        }

        Assert.Equal(ids.Count, await storage.Reads.Run((db, stop) => db.Sessions.CountAsync(s => s.LastSeen > Now, stop)));
    }

    public void Dispose() => storage.Dispose();

    private SessionBook Book() => new(
        storage.Reads, storage.Writes, new AuditLog(storage.Writes, clock, NullLogger<AuditLog>.Instance), clock,
        Options.Create(new ServerOptions { SignInLifetime = Idle }), Options.Create(new PeopleOptions { SessionMaxAge = MaxAge, SessionHistory = Kept }), NullLogger<SessionBook>.Instance);

    private async Task<string> Begin(SessionBook book)
    {
        await storage.Writes.Run(async (db, stop) =>
        {
            if (!await db.Users.AnyAsync(stop))
            {
                db.Users.Add(user);
                await db.SaveChangesAsync(stop);
            }
        });
        return (await book.Begin(user, Wang, "browser", null, default))!.Value.Who.Session;
    }

    private Task<SessionRow?> Row(string id) => storage.Reads.Run((db, stop) => db.Sessions.FirstOrDefaultAsync(s => s.Id == id, stop));
}
