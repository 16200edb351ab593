namespace DeviceHub.Core.People;

/// <summary>What a signed-in person's principal says beside id, name and role.</summary>
public static class PersonClaims
{
    /// <summary>The id of the session in <see cref="ISessions"/>.</summary>
    public const string Session = "session";

    /// <summary>Where the request came from that opened the page.</summary>
    public const string Address = "address";
}
