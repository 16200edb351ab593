namespace DeviceHub.Core.People;

/// <summary>Why something about people was not done.</summary>
public enum PersonFault
{
    /// <summary>There is no such person.</summary>
    Unknown,

    /// <summary>2 to 64 characters of letters, digits and <c>. _ - @</c>.</summary>
    UserName,
    UserNameTaken,

    /// <summary>None of <see cref="Roles.All"/>.</summary>
    Role,

    /// <summary>12 to 256 characters, 5 of them different, and not the user name.</summary>
    Password,

    /// <summary>The password that is given up is not allowed again.</summary>
    SamePassword,

    /// <summary>Or there were too many tries, which is not told apart.</summary>
    WrongPassword,

    /// <summary>A second factor's code that is wrong, too old or used; or there were too many tries.</summary>
    WrongCode,

    /// <summary>The hub would have no owner who can sign in.</summary>
    LastOwner,

    /// <summary>As many people as the option allows.</summary>
    TooMany,

    /// <summary>It is so already, or is not so any more.</summary>
    Stale,
}

/// <param name="MustSetUp">Has a password of somebody else's making, and may do nothing before there is an own one.</param>
/// <param name="Sessions">Open ones.</param>
/// <param name="LastSeen">Null: has never signed in, or long ago.</param>
public sealed record Person(
    string Id, string UserName, string Role, DateTimeOffset Created, bool Disabled, bool MustSetUp, bool SecondFactor, DateTimeOffset? LockedUntil, int Sessions, DateTimeOffset? LastSeen);

/// <param name="Password">For one sign-in, and shown this once; null with a fault.</param>
public sealed record GivenPassword(Person? Person, string? Password, PersonFault? Fault)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => $"{Person?.UserName} {Fault}";
}

/// <summary>What an owner does with people's accounts. Each change is in the audit log; a fault of null means that it is done.</summary>
public interface IPeople
{
    /// <summary>All, by name; at most as many as the option People:MaxPeople.</summary>
    Task<IReadOnlyList<Person>> List(CancellationToken stop);

    Task<GivenPassword> Create(Actor by, string userName, string role, CancellationToken stop);

    /// <summary>Both at once, or nothing. The person's open pages follow a role within seconds; to disable ends the person's sessions.</summary>
    /// <param name="role">Null: as it is.</param>
    /// <param name="enabled">Null: as it is.</param>
    Task<PersonFault?> Change(Actor by, string id, string? role, bool? enabled, CancellationToken stop);

    /// <summary>A new password for one sign-in, for who forgot the own one. Ends the lock and the sessions.</summary>
    Task<GivenPassword> ResetPassword(Actor by, string id, CancellationToken stop);

    /// <summary>For who lost the telephone.</summary>
    Task<PersonFault?> ResetSecondFactor(Actor by, string id, CancellationToken stop);

    Task<PersonFault?> EndSessions(Actor by, string id, CancellationToken stop);
}
