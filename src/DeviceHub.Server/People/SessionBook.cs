using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core.People;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.People;

/// <summary>
/// Sessions, with those in use in memory for some seconds: every request and every open page asks for its own. When one was last used is
/// written each minute.
/// </summary>
internal sealed partial class SessionBook(
    HubReads reads, HubWrites writes, AuditLog audit, TimeProvider clock, IOptions<ServerOptions> server, IOptions<PeopleOptions> people, ILogger<SessionBook> logger)
    : BackgroundService, ISessions
{
    /// <summary>Others are read from the database each time.</summary>
    private const int MaxKnown = 10_000;
    private const int SweepBatch = 1000;

    private static readonly TimeSpan Known = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <summary>A session's id of what the browser carries.</summary>
    public static string IdOf(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>Begins a session and returns what the browser carries; its first audit row is written with it.</summary>
    /// <param name="user">As it was when the password and the code were looked at; null is returned when the account has changed since.</param>
    /// <param name="replaced">The session that this browser had, of whomever; null: none.</param>
    public async Task<(string Token, SignedIn Who)?> Begin(HubUser user, Actor by, string? userAgent, string? replaced, CancellationToken stop)
    {
        var token = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var now = clock.GetUtcNow();
        var row = new SessionRow
        {
            Id = IdOf(token), UserId = user.Id, Created = now, LastSeen = now, Address = by.Address, UserAgent = userAgent is { Length: > 200 } ? userAgent[..200] : userAgent,
        };
        var ended = await writes.Run<List<string>?>(
            async (db, cancel) =>
            {
                if (!await db.Users.AnyAsync(u => u.Id == user.Id && u.SecurityStamp == user.SecurityStamp && u.Disabled == null, cancel))
                {
                    return null;
                }

                var open = await db.Sessions.Where(s => (s.UserId == user.Id || s.Id == replaced) && s.Ended == null).OrderByDescending(s => s.LastSeen).ToListAsync(cancel);
                var going = open.Where(s => s.Id != replaced).Take(people.Value.MaxSessions - 1).ToList();
                var over = open.Except(going).ToList();
                over.ForEach(s => s.Ended = now);
                db.Sessions.Add(row);
                db.Audit.Add(audit.Row(by, "sign-in", "user:" + user.UserName, null, new { SecondFactor = user.SecondFactorKey is not null }));
                await db.SaveChangesAsync(cancel);
                return over.ConvertAll(s => s.Id);
            },
            stop);
        if (ended is null)
        {
            return null;
        }

        Forget(ended);
        return (token, new(row.Id, user.Id, user.UserName!, user.Role, user.MustSetUp));
    }

    public async ValueTask<SignedIn?> Find(string session, CancellationToken stop)
    {
        if (entries.TryGetValue(session, out var known) && clock.GetElapsedTime(known.ReadAt) < Known)
        {
            return IsOver(known.Created, known.LastSeen) ? null : known.Who;
        }

        var readAt = clock.GetTimestamp();
        var row = await reads.Run(
            (db, cancel) => (from s in db.Sessions.AsNoTracking()
                             join u in db.Users.AsNoTracking() on s.UserId equals u.Id
                             where s.Id == session && s.Ended == null && u.Disabled == null
                             select new { s.Created, s.LastSeen, Who = new SignedIn(s.Id, u.Id, u.UserName!, u.Role, u.MustSetUp) }).FirstOrDefaultAsync(cancel),
            stop);
        if (row is null || IsOver(row.Created, known is null || known.LastSeen < row.LastSeen ? row.LastSeen : known.LastSeen))
        {
            entries.TryRemove(session, out _);
            return null;
        }

        if (known is not null || entries.Count < MaxKnown)
        {
            var last = known?.LastSeen > row.LastSeen ? known.LastSeen : row.LastSeen;
            entries[session] = new Entry(row.Who, row.Created, readAt) { LastSeen = last, Written = row.LastSeen };
        }

        return row.Who;
    }

    /// <summary>The person did something: the session does not end for want of use.</summary>
    public void Touch(string session)
    {
        if (entries.TryGetValue(session, out var known))
        {
            known.LastSeen = clock.GetUtcNow();
        }
    }

    public async Task<IReadOnlyList<Session>> List(string personId, CancellationToken stop)
    {
        var rows = await reads.Run(
            (db, cancel) => db.Sessions.AsNoTracking().Where(s => s.UserId == personId && s.Ended == null).OrderByDescending(s => s.LastSeen).Take(people.Value.MaxSessions).ToListAsync(cancel),
            stop);
        return [.. rows.Select(r => new Session(r.Id, r.Created, entries.TryGetValue(r.Id, out var known) ? known.LastSeen : r.LastSeen, r.Address, r.UserAgent))
            .Where(s => !IsOver(s.Created, s.LastSeen)).OrderByDescending(s => s.LastSeen)];
    }

    public async Task<bool> End(Actor by, string personId, string session, CancellationToken stop) =>
        await End(by, "session.end", personId, s => s.Id == session, stop) == 1;

    public Task<int> EndOthers(Actor by, string personId, string session, CancellationToken stop) => End(by, "session.end-others", personId, s => s.Id != session, stop);

    /// <summary>What is known of people is read again: somebody's role, name or right to be here has changed.</summary>
    public void Forget() => entries.Clear();

    /// <summary>Ends sessions in a transaction of the caller, who calls <see cref="Forget()"/> after it.</summary>
    /// <param name="kept">Goes on; null: none does.</param>
    public static async Task<int> EndAll(HubDbContext db, string personId, string? kept, DateTimeOffset now, CancellationToken cancel)
    {
        var open = await db.Sessions.Where(s => s.UserId == personId && s.Ended == null && s.Id != kept).ToListAsync(cancel);
        open.ForEach(s => s.Ended = now);
        return open.Count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SweepEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await Sweep(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // When sessions were last used since the last sweep is lost, which ends none early by more than a minute.
        }
    }

    /// <summary>Writes when sessions were used, those first that were not written for longest, ends those that were not for too long, and drops the oldest ended ones.</summary>
    internal async Task Sweep(CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var used = entries.Where(e => e.Value.LastSeen > e.Value.Written).OrderBy(e => e.Value.Written).Take(SweepBatch).ToDictionary(e => e.Key, e => e.Value);
        try
        {
            await writes.Run(
                async (db, cancel) =>
                {
                    var ids = used.Keys.ToList();
                    foreach (var row in await db.Sessions.Where(s => ids.Contains(s.Id) && s.Ended == null).ToListAsync(cancel))
                    {
                        row.LastSeen = used[row.Id].LastSeen;
                    }

                    await db.SaveChangesAsync(cancel);
                    var (idle, old, kept) = (now - server.Value.SignInLifetime, now - people.Value.SessionMaxAge, now - people.Value.SessionHistory);
                    await db.Sessions.Where(s => s.Ended == null && (s.LastSeen < idle || s.Created < old)).Take(SweepBatch).ExecuteUpdateAsync(s => s.SetProperty(r => r.Ended, now), cancel);
                    await db.Sessions.Where(s => s.Ended < kept).Take(SweepBatch).ExecuteDeleteAsync(cancel);
                },
                stop);
            foreach (var (id, entry) in entries)
            {
                if (now - entry.LastSeen > SweepEvery && clock.GetElapsedTime(entry.ReadAt) > SweepEvery)
                {
                    entries.TryRemove(KeyValuePair.Create(id, entry));
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotSwept(e);
        }
    }

    private async Task<int> End(Actor by, string what, string personId, System.Linq.Expressions.Expression<Func<SessionRow, bool>> which, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var ended = await writes.Run(
            async (db, cancel) =>
            {
                var open = await db.Sessions.Where(s => s.UserId == personId && s.Ended == null).Where(which).ToListAsync(cancel);
                if (open.Count > 0)
                {
                    open.ForEach(s => s.Ended = now);
                    var name = await db.Users.Where(u => u.Id == personId).Select(u => u.UserName).FirstAsync(cancel);
                    db.Audit.Add(audit.Row(by, what, "user:" + name, new { Sessions = open.ConvertAll(s => new { s.Created, s.Address }) }, null));
                    await db.SaveChangesAsync(cancel);
                }

                return open.ConvertAll(s => s.Id);
            },
            stop);
        Forget(ended);
        return ended.Count;
    }

    private void Forget(IEnumerable<string> ids)
    {
        foreach (var id in ids)
        {
            entries.TryRemove(id, out _);
        }
    }

    private bool IsOver(DateTimeOffset created, DateTimeOffset lastSeen)
    {
        var now = clock.GetUtcNow();
        return now - lastSeen > server.Value.SignInLifetime || now - created > people.Value.SessionMaxAge;
    }

    [LoggerMessage(EventName = "SessionsNotSwept", Level = LogLevel.Warning, Message = "When sessions were last used could not be written; it is tried again in a minute")]
    private partial void LogNotSwept(Exception e);

    /// <param name="ReadAt">Timestamp of the read that this comes from.</param>
    private sealed record Entry(SignedIn Who, DateTimeOffset Created, long ReadAt)
    {
        private long lastSeen;

        public DateTimeOffset LastSeen
        {
            get => DateTimeOffset.FromUnixTimeMilliseconds(Volatile.Read(ref lastSeen));
            set => Volatile.Write(ref lastSeen, value.ToUnixTimeMilliseconds());
        }

        /// <summary>What the row says.</summary>
        public DateTimeOffset Written { get; init; }
    }
}
