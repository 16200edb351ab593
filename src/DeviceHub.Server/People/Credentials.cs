using DeviceHub.Core.People;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.People;

/// <summary>
/// Passwords and codes of people, and their lock-out. A try is counted before it is looked at: many at once would otherwise all be looked at
/// before the first was counted. What was right takes its own count back.
/// </summary>
internal sealed class Credentials(HubReads reads, HubWrites writes, Passwords passwords, SecondFactor factor, TimeProvider clock, IOptions<ServerOptions> options)
{
    /// <param name="User">The person whose name it is, also when it was wrong; null: nobody's.</param>
    /// <param name="Locked">Was not looked at.</param>
    internal sealed record Verdict(HubUser? User, bool Right, bool Locked);

    /// <summary>Whether the password opens the account; wrong, locked, disabled and nobody's take the same time.</summary>
    public async Task<Verdict> CheckPassword(string userName, string password, CancellationToken stop)
    {
        var name = PeopleBook.Normal(userName);
        var user = await reads.Run((db, cancel) => db.Users.AsNoTracking().FirstOrDefaultAsync(u => u.NormalizedUserName == name, cancel), stop);
        return await CheckPassword(user, password, stop);
    }

    public async Task<Verdict> CheckPassword(HubUser? user, string password, CancellationToken stop)
    {
        var count = user is null ? null : await Count(user.Id, stop);
        var right = await passwords.IsRight(count is null ? null : user!.PasswordHash, password, stop) && user!.Disabled is null;
        if (right)
        {
            // With a second factor the wrong codes before this still count: else a known password would give endless tries.
            await Settle(user!.Id, user.SecondFactorKey is null ? null : count, stop);
        }

        return new(user, right, user is not null && count is null);
    }

    /// <summary>An app's code, once; a recovery code, once.</summary>
    public async Task<Verdict> CheckCode(HubUser user, string code, CancellationToken stop)
    {
        if (user.SecondFactorKey is null || await Count(user.Id, stop) is null)
        {
            return new(user, Right: false, user.SecondFactorKey is not null);
        }

        var now = clock.GetUtcNow();
        var right = await writes.Run(
            async (db, cancel) =>
            {
                var row = await db.Users.FirstAsync(u => u.Id == user.Id, cancel);
                if (row.Disabled is not null || row.SecurityStamp != user.SecurityStamp || !factor.Take(row, code, now))
                {
                    return false;
                }

                (row.AccessFailedCount, row.LockoutEnd) = (0, null);
                await db.SaveChangesAsync(cancel);
                return true;
            },
            stop);
        return new(user, right, Locked: false);
    }

    /// <summary>What a try was before it was counted; null: the account is locked.</summary>
    private Task<int?> Count(string id, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return writes.Run(
            async (db, cancel) =>
            {
                if (await db.Users.FirstOrDefaultAsync(u => u.Id == id, cancel) is not { } user || user.LockoutEnd > now)
                {
                    return (int?)null;
                }

                var before = user.AccessFailedCount;
                var last = before + 1 >= options.Value.LockoutAfter;
                (user.AccessFailedCount, user.LockoutEnd) = (last ? 0 : before + 1, last ? now + options.Value.LockoutFor : null);
                await db.SaveChangesAsync(cancel);
                return before;
            },
            stop);
    }

    /// <param name="counted">Null: all is forgotten; else only this try.</param>
    private Task Settle(string id, int? counted, CancellationToken stop) => writes.Run(
        async (db, cancel) =>
        {
            var user = await db.Users.FirstAsync(u => u.Id == id, cancel);
            if (counted is null || counted + 1 >= options.Value.LockoutAfter)
            {
                (user.AccessFailedCount, user.LockoutEnd) = (counted ?? 0, null);
            }
            else if (user.LockoutEnd is null)
            {
                user.AccessFailedCount = Math.Max(0, user.AccessFailedCount - 1);
            }

            await db.SaveChangesAsync(cancel);
        },
        stop);
}
