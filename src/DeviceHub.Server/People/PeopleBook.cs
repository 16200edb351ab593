using DeviceHub.Core.People;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.People;

/// <summary>People's accounts as an owner sees and changes them. A change, its audit row and the end of sessions are one transaction.</summary>
internal sealed class PeopleBook(HubReads reads, HubWrites writes, AuditLog audit, SessionBook sessions, Passwords passwords, TimeProvider clock, IOptions<PeopleOptions> options) : IPeople
{
    private const int MinName = 2;
    private const int MaxName = 64;

    public static string Normal(string userName) => userName.ToUpperInvariant();

    public static bool IsName(string name) => name.Length is >= MinName and <= MaxName && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@');

    public static Person Of(HubUser user, int open, DateTimeOffset? lastSeen, DateTimeOffset now) => new(
        user.Id, user.UserName!, user.Role, user.Created, user.Disabled is not null, user.MustSetUp, user.SecondFactorKey is not null, user.LockoutEnd > now ? user.LockoutEnd : null, open, lastSeen);

    public Task<IReadOnlyList<Person>> List(CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return reads.Run<IReadOnlyList<Person>>(
            async (db, cancel) =>
            {
                var users = await db.Users.AsNoTracking().OrderBy(u => u.NormalizedUserName).Take(options.Value.MaxPeople).ToListAsync(cancel);
                var seen = await db.Sessions.AsNoTracking().GroupBy(s => s.UserId)
                    .Select(g => new { g.Key, Open = g.Count(s => s.Ended == null), Last = g.Max(s => s.LastSeen) }).ToDictionaryAsync(g => g.Key, cancel);
                return [.. users.Select(u => seen.TryGetValue(u.Id, out var own) ? Of(u, own.Open, own.Last, now) : Of(u, 0, null, now))];
            },
            stop);
    }

    public async Task<GivenPassword> Create(Actor by, string userName, string role, CancellationToken stop)
    {
        if (!IsName(userName) || !Roles.All.Contains(role))
        {
            return new(null, null, IsName(userName) ? PersonFault.Role : PersonFault.UserName);
        }

        var now = clock.GetUtcNow();
        var (password, user) = await Make(userName, role, now, stop);
        var fault = await writes.Run<PersonFault?>(
            async (db, cancel) =>
            {
                if (await db.Users.CountAsync(cancel) >= options.Value.MaxPeople)
                {
                    return PersonFault.TooMany;
                }

                if (await db.Users.AnyAsync(u => u.NormalizedUserName == user.NormalizedUserName, cancel))
                {
                    return PersonFault.UserNameTaken;
                }

                db.Users.Add(user);
                db.Audit.Add(audit.Row(by, "user.create", "user:" + userName, null, new { role }));
                await db.SaveChangesAsync(cancel);
                return null;
            },
            stop);
        return fault is null ? new(Of(user, 0, null, now), password, null) : new(null, null, fault);
    }

    /// <summary>The owner of a first start, and the password that is told once; null: there are people already.</summary>
    public async Task<string?> CreateFirst(string userName, CancellationToken stop)
    {
        if (await reads.Run((db, cancel) => db.Users.AnyAsync(cancel), stop))
        {
            return null;
        }

        return (await Create(new Actor(Actor.Hub, null), userName, Roles.Owner, stop)).Password;
    }

    public Task<PersonFault?> Change(Actor by, string id, string? role, bool? enabled, CancellationToken stop) => role is not null && !Roles.All.Contains(role)
        ? Task.FromResult<PersonFault?>(PersonFault.Role)
        : Change(
            id,
            async (db, user, cancel) =>
            {
                if ((enabled == false || (role is not null && role != Roles.Owner)) && await IsLastOwner(db, id, cancel))
                {
                    return PersonFault.LastOwner;
                }

                if (role is not null && user.Role != role)
                {
                    db.Audit.Add(audit.Row(by, "user.role", "user:" + user.UserName, new { user.Role }, new { role }));
                    user.Role = role;
                }

                if (enabled is { } may && may == user.Disabled is not null)
                {
                    var now = clock.GetUtcNow();
                    (user.Disabled, user.SecurityStamp) = (may ? null : now, Guid.NewGuid().ToString("N"));
                    db.Audit.Add(audit.Row(by, may ? "user.enable" : "user.disable", "user:" + user.UserName, null, null));
                    await SessionBook.EndAll(db, id, null, now, cancel);
                }

                return null;
            },
            stop);

    public async Task<GivenPassword> ResetPassword(Actor by, string id, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var password = Passwords.Generate();
        var hash = await passwords.Hash(password, stop);
        Person? person = null;
        var fault = await Change(
            id,
            async (db, user, cancel) =>
            {
                // Who is the only owner would be lost with the paper that the new password is on.
                if (await IsLastOwner(db, id, cancel))
                {
                    return PersonFault.LastOwner;
                }

                (user.PasswordHash, user.SecurityStamp, user.MustSetUp, user.AccessFailedCount, user.LockoutEnd) = (hash, Guid.NewGuid().ToString("N"), true, 0, null);
                db.Audit.Add(audit.Row(by, "user.password.reset", "user:" + user.UserName, null, null));
                await SessionBook.EndAll(db, id, null, now, cancel);
                person = Of(user, 0, null, now);
                return null;
            },
            stop);
        return new(person, fault is null ? password : null, fault);
    }

    public Task<PersonFault?> ResetSecondFactor(Actor by, string id, CancellationToken stop) => Change(
        id,
        (db, user, _) =>
        {
            if (user.SecondFactorKey is null)
            {
                return Task.FromResult<PersonFault?>(PersonFault.Stale);
            }

            SecondFactor.TurnOff(user);
            db.Audit.Add(audit.Row(by, "user.second-factor.reset", "user:" + user.UserName, null, null));
            return Task.FromResult<PersonFault?>(null);
        },
        stop);

    public Task<PersonFault?> EndSessions(Actor by, string id, CancellationToken stop) => Change(
        id,
        async (db, user, cancel) =>
        {
            var ended = await SessionBook.EndAll(db, id, null, clock.GetUtcNow(), cancel);
            db.Audit.Add(audit.Row(by, "user.sessions.end", "user:" + user.UserName, null, new { ended }));
            return null;
        },
        stop);

    private async Task<(string Password, HubUser User)> Make(string userName, string role, DateTimeOffset now, CancellationToken stop)
    {
        var password = Passwords.Generate();
        return (password, new HubUser
        {
            UserName = userName,
            NormalizedUserName = Normal(userName),
            Role = role,
            Created = now,
            MustSetUp = true,
            PasswordHash = await passwords.Hash(password, stop),
            SecurityStamp = Guid.NewGuid().ToString("N"),
        });
    }

    /// <summary>Nobody else could let people in: who has not chosen an own password yet may never come.</summary>
    private static async Task<bool> IsLastOwner(HubDbContext db, string id, CancellationToken cancel) =>
        await db.Users.AnyAsync(u => u.Id == id && u.Role == Roles.Owner && u.Disabled == null, cancel)
        && !await db.Users.AnyAsync(u => u.Id != id && u.Role == Roles.Owner && u.Disabled == null && !u.MustSetUp, cancel);

    private async Task<PersonFault?> Change(string id, Func<HubDbContext, HubUser, CancellationToken, Task<PersonFault?>> change, CancellationToken stop)
    {
        var fault = await writes.Run(
            async (db, cancel) =>
            {
                var fault = await db.Users.FirstOrDefaultAsync(u => u.Id == id, cancel) is { } user ? await change(db, user, cancel) : PersonFault.Unknown;
                if (fault is null)
                {
                    await db.SaveChangesAsync(cancel);
                }

                return fault;
            },
            stop);
        sessions.Forget();
        return fault;
    }
}
