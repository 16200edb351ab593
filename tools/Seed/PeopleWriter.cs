using System.Globalization;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.People;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.People;
using DeviceHub.Server.SignIn;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Identity;

namespace DeviceHub.Tools.Seed;

/// <summary>People with their sessions, keys of programs, and what both left behind.</summary>
internal sealed class PeopleWriter(SeedSetup setup, Dice dice, HubWrites writes, Deeds deeds)
{
    private const int Keys = 60;

    /// <summary>Writes them, unless the folder has people.</summary>
    /// <param name="accounts">Of channels; one of them could not be reconciled.</param>
    /// <returns>The first owner's password, for one sign-in; null: the folder has people.</returns>
    public Task<string?> Write(IEnumerable<ChannelAccount> accounts, CancellationToken cancellation) => writes.Run(
        async (db, stop) =>
        {
            if (db.Users.Any())
            {
                return null;
            }

            var password = Passwords.Generate();
            var owner = Person(FirstOwner.UserName, Roles.Owner);
            (owner.MustSetUp, owner.PasswordHash) = (true, new PasswordHasher<HubUser>().HashPassword(owner, password));
            db.Users.Add(owner);
            foreach (var (name, place) in Names.People.Select((n, i) => (n, i)))
            {
                // Nobody has a password: who is to sign in is given one at /people.
                var person = Person(name, place == 0 ? Roles.Owner : place % 3 == 0 ? Roles.ReadOnly : Roles.Operator);
                person.Disabled = place % 9 == 8 ? setup.Until - dice.Between(TimeSpan.FromDays(1), TimeSpan.FromDays(20)) : null;
                db.Users.Add(person);
                db.Sessions.AddRange(Sessions(person));
            }

            db.ApiKeys.AddRange(Enumerable.Range(1, Keys).Select(Key));
            db.Reconciliations.AddRange(accounts.Take(1).Select(Failed));
            await db.SaveChangesAsync(stop);
            return password;
        },
        cancellation);

    private HubUser Person(string name, string role)
    {
        var created = setup.From - dice.Between(TimeSpan.FromDays(1), TimeSpan.FromDays(60));
        deeds.Add(created, "user:" + FirstOwner.UserName, "user.create", "user:" + name, null, $$"""{"role":"{{role}}"}""");
        return new HubUser { UserName = name, NormalizedUserName = PeopleBook.Normal(name), Role = role, Created = created, SecurityStamp = dice.Hex(16) };
    }

    /// <summary>One each working day or so; the last ones go on.</summary>
    private IEnumerable<SessionRow> Sessions(HubUser person)
    {
        var last = person.Disabled ?? setup.Until;
        for (var at = setup.From.AddHours(dice.Below(10)); at < last; at += dice.Between(TimeSpan.FromHours(16), TimeSpan.FromHours(60)))
        {
            deeds.Add(at, "user:" + person.UserName, "sign-in", "user:" + person.UserName, null, """{"secondFactor":false}""");
            var used = at + dice.Between(TimeSpan.FromMinutes(2), TimeSpan.FromHours(9));
            var seen = used < last ? used : last;
            yield return new SessionRow
            {
                Id = dice.Hex(32).ToUpperInvariant(),
                UserId = person.Id,
                Created = at,
                LastSeen = seen,
                Address = "192.168.10." + Names.Desk("user:" + person.UserName, dice),
                UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
                Ended = person.Disabled ?? (last - seen > TimeSpan.FromDays(2) ? seen : null),
            };
        }
    }

    private ApiKeyRow Key(int number)
    {
        // The key itself is nobody's.
        var key = ApiKey.Create();
        var created = setup.From + ((setup.Until - setup.From) * dice.Share());
        var row = new ApiKeyRow
        {
            Id = dice.Hex(16),
            Name = string.Create(CultureInfo.InvariantCulture, $"{dice.Of<string>(["Reports", "Warehouse", "Monitoring", "Till software", "会计系统"])} {number}"),
            Hash = ApiKey.Hash(key),
            Prefix = key[..8],
            Scopes = dice.Of<string>(["read", "read", "read", "admin"]),
            CreatedBy = "user:" + Names.People[0],
            Created = created,
            Expires = dice.Chance(0.3) ? created.AddDays(90) : null,
            Revoked = dice.Chance(0.2) ? created.AddHours(30) : null,
            LastUsed = dice.Chance(0.7) ? setup.Until - dice.Between(TimeSpan.Zero, TimeSpan.FromDays(2)) : null,
        };
        deeds.Add(created, row.CreatedBy, "api-key.create", "api-key:" + row.Id, null, $$"""{"id":"{{row.Id}}","name":"{{row.Name}}","scopes":"{{row.Scopes}}"}""");
        return row;
    }

    private ReconciliationRow Failed(ChannelAccount account) => new()
    {
        AccountId = account.Id,
        Channel = account.Channel,
        MerchantId = account.MerchantId,
        Day = DateOnly.FromDateTime(setup.Until.UtcDateTime).AddDays(-2),
        State = RunState.Failed,
        RequestedBy = "system",
        RequestedAt = setup.Until.AddHours(-20),
        Requests = 1,
        Tries = 8,
        Fault = "the channel answered 503 to the request for its bill",
    };
}
