namespace DeviceHub.Core.People;

/// <summary>Who is signed in, as a page or a request of this session must take it now.</summary>
/// <param name="Role">As it is now, not as it was at sign-in.</param>
public sealed record SignedIn(string Session, string PersonId, string UserName, string Role, bool MustSetUp);

/// <param name="Address">Where it signed in from.</param>
/// <param name="UserAgent">As the browser called itself.</param>
public sealed record Session(string Id, DateTimeOffset Created, DateTimeOffset LastSeen, string? Address, string? UserAgent);

/// <summary>Sign-ins of people, each in one browser.</summary>
public interface ISessions
{
    /// <summary>Null: it has ended. What another process did is known within seconds.</summary>
    ValueTask<SignedIn?> Find(string session, CancellationToken stop);

    /// <summary>Open ones of a person, the last used first; as many as the option People:MaxSessions.</summary>
    Task<IReadOnlyList<Session>> List(string personId, CancellationToken stop);

    /// <summary>False: it is none of this person's open ones.</summary>
    Task<bool> End(Actor by, string personId, string session, CancellationToken stop);

    /// <returns>How many ended.</returns>
    Task<int> EndOthers(Actor by, string personId, string session, CancellationToken stop);
}
