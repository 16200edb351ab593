using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Server.People;

/// <summary>The own account. A wrong password or code is counted, answered late and audited, wherever it is typed.</summary>
internal sealed class AccountBook(
    HubReads reads, HubWrites writes, AuditLog audit, SessionBook sessions, Credentials credentials, Passwords passwords, SecondFactor factor, WrongCredentials wrong, TimeProvider clock)
    : IAccount
{
    public Task<Person?> Find(string id, CancellationToken stop) => reads.Run(
        async (db, cancel) => await db.Users.AsNoTracking().FirstOrDefaultAsync(u => u.Id == id, cancel) is { } user
            ? PeopleBook.Of(user, await db.Sessions.CountAsync(s => s.UserId == id && s.Ended == null, cancel), null, clock.GetUtcNow())
            : null,
        stop);

    public async Task<PersonFault?> SetUp(Actor by, string id, string session, string? userName, string password, CancellationToken stop)
    {
        if (await Read(id, stop) is not { MustSetUp: true } user)
        {
            return PersonFault.Stale;
        }

        var name = userName is null || userName == user.UserName ? null : userName;
        if (name is not null && !PeopleBook.IsName(name))
        {
            return PersonFault.UserName;
        }

        if (!Passwords.IsGood(password, name ?? user.UserName!))
        {
            return PersonFault.Password;
        }

        if (await passwords.IsRight(user.PasswordHash, password, stop))
        {
            return PersonFault.SamePassword;
        }

        var hash = await passwords.Hash(password, stop);
        return await Change(
            user,
            async (db, row, cancel) =>
            {
                if (name is not null && await db.Users.AnyAsync(u => u.NormalizedUserName == PeopleBook.Normal(name) && u.Id != id, cancel))
                {
                    return PersonFault.UserNameTaken;
                }

                db.Audit.Add(audit.Row(by, "user.set-up", "user:" + row.UserName, new { row.UserName }, new { UserName = name ?? row.UserName }));
                (row.PasswordHash, row.MustSetUp) = (hash, false);
                (row.UserName, row.NormalizedUserName) = name is null ? (row.UserName, row.NormalizedUserName) : (name, PeopleBook.Normal(name));
                await SessionBook.EndAll(db, id, session, clock.GetUtcNow(), cancel);
                return null;
            },
            stop);
    }

    public async Task<PersonFault?> ChangePassword(Actor by, string id, string session, string current, string replacement, CancellationToken stop)
    {
        if (await Read(id, stop) is not { } user || !await IsOwn(by, user, current, "user.password.failed", stop))
        {
            return PersonFault.WrongPassword;
        }

        if (!Passwords.IsGood(replacement, user.UserName!))
        {
            return PersonFault.Password;
        }

        if (current == replacement)
        {
            return PersonFault.SamePassword;
        }

        var hash = await passwords.Hash(replacement, stop);
        return await Change(
            user,
            async (db, row, cancel) =>
            {
                row.PasswordHash = hash;
                db.Audit.Add(audit.Row(by, "user.password", "user:" + row.UserName, null, null));
                await SessionBook.EndAll(db, id, session, clock.GetUtcNow(), cancel);
                return null;
            },
            stop);
    }

    public async Task<RecoveryCodes> TurnOnSecondFactor(Actor by, string id, string password, string key, string code, CancellationToken stop)
    {
        if (await Read(id, stop) is not { } user || !await IsOwn(by, user, password, "user.second-factor.failed", stop))
        {
            return new(null, PersonFault.WrongPassword);
        }

        if (user.SecondFactorKey is not null)
        {
            return new(null, PersonFault.Stale);
        }

        IReadOnlyList<string>? codes = null;
        var fault = await Change(
            user,
            (db, row, _) =>
            {
                codes = Totp.FromBase32(key) is { } bytes ? factor.TurnOn(row, bytes, code, clock.GetUtcNow()) : null;
                if (codes is null)
                {
                    return Task.FromResult<PersonFault?>(PersonFault.WrongCode);
                }

                db.Audit.Add(audit.Row(by, "user.second-factor.on", "user:" + row.UserName, null, null));
                return Task.FromResult<PersonFault?>(null);
            },
            stop);
        return new(fault is null ? codes : null, fault);
    }

    public async Task<PersonFault?> TurnOffSecondFactor(Actor by, string id, string code, CancellationToken stop)
    {
        var arrived = wrong.Arrived();
        if (await Read(id, stop) is not { SecondFactorKey: not null } user)
        {
            return PersonFault.Stale;
        }

        if (!(await credentials.CheckCode(user, code, stop)).Right)
        {
            await audit.Write(by, "user.second-factor.failed", "user:" + user.UserName, null, null);
            await wrong.Hold("code", arrived, stop);
            return PersonFault.WrongCode;
        }

        return await Change(
            user,
            (db, row, _) =>
            {
                SecondFactor.TurnOff(row);
                db.Audit.Add(audit.Row(by, "user.second-factor.off", "user:" + row.UserName, null, null));
                return Task.FromResult<PersonFault?>(null);
            },
            stop);
    }

    /// <summary>A stolen session must not become a place to guess the password.</summary>
    private async Task<bool> IsOwn(Actor by, HubUser user, string password, string failed, CancellationToken stop)
    {
        var arrived = wrong.Arrived();
        if (password.Length <= Passwords.MaxLength && (await credentials.CheckPassword(user, password, stop)).Right)
        {
            return true;
        }

        await audit.Write(by, failed, "user:" + user.UserName, null, null);
        await wrong.Hold("password", arrived, stop);
        return false;
    }

    private Task<HubUser?> Read(string id, CancellationToken stop) =>
        reads.Run((db, cancel) => db.Users.AsNoTracking().FirstOrDefaultAsync(u => u.Id == id && u.Disabled == null, cancel), stop);

    /// <summary>Not over what another did since <paramref name="user"/> was read; what was begun with the old state then opens nothing.</summary>
    private async Task<PersonFault?> Change(HubUser user, Func<HubDbContext, HubUser, CancellationToken, Task<PersonFault?>> change, CancellationToken stop)
    {
        var fault = await writes.Run(
            async (db, cancel) =>
            {
                if (await db.Users.FirstOrDefaultAsync(u => u.Id == user.Id && u.SecurityStamp == user.SecurityStamp && u.Disabled == null, cancel) is not { } row)
                {
                    return PersonFault.Stale;
                }

                var fault = await change(db, row, cancel);
                if (fault is null)
                {
                    row.SecurityStamp = Guid.NewGuid().ToString("N");
                    await db.SaveChangesAsync(cancel);
                }

                return fault;
            },
            stop);
        sessions.Forget();
        return fault;
    }
}
