namespace DeviceHub.Core.People;

/// <summary>Who does something: a person, a program, or the hub itself.</summary>
/// <param name="Name"><c>user:NAME</c>, <c>key:ID</c>, <see cref="Nobody"/> or <see cref="Hub"/>.</param>
/// <param name="Address">Where the request came from; null: from this process.</param>
[GenerateSerializer, Immutable, Alias("dh.Actor")]
public sealed record Actor([property: Id(0)] string Name, [property: Id(1)] string? Address)
{
    /// <summary>Who has not signed in.</summary>
    public const string Nobody = "nobody";

    /// <summary>The name of the hub itself.</summary>
    public const string Hub = "system";

    private const string User = "user:";

    /// <summary>As people read it: a person's name alone.</summary>
    public static string Shown(string name) => name.StartsWith(User, StringComparison.Ordinal) ? name[User.Length..] : name;
}

/// <summary>What somebody does, for the audit log, to be written in the transaction of the change itself. It holds no secrets.</summary>
/// <param name="What">The action: <c>terminal.suspend</c>.</param>
/// <param name="Subject">What it is done to: <c>terminal:SN</c>.</param>
/// <param name="Before">What was, as an object for JSON; null: nothing.</param>
public sealed record Deed(Actor By, string What, string Subject, object? Before, object? After);

/// <summary>What people and programs did (I12). It holds no secrets: who writes leaves them out.</summary>
public interface IAuditLog
{
    /// <summary>Writes what has been done already. It does not stop when the caller goes away; when it cannot write, it logs the row and throws.</summary>
    /// <param name="what">The action: <c>terminal.suspend</c>.</param>
    /// <param name="subject">What it was done to: <c>terminal:SN</c>.</param>
    /// <param name="before">What was, as an object for JSON; null: nothing.</param>
    Task Write(Actor actor, string what, string subject, object? before, object? after);
}
