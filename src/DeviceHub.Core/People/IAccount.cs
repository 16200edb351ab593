namespace DeviceHub.Core.People;

/// <param name="Codes">Each opens once, in place of an app's code; shown this once. Null with a fault.</param>
public sealed record RecoveryCodes(IReadOnlyList<string>? Codes, PersonFault? Fault)
{
    /// <summary>Without the codes.</summary>
    public override string ToString() => $"{Codes?.Count} {Fault}";
}

/// <summary>What a person does with the own account. Wrong passwords and codes count as at sign-in; each change is in the audit log.</summary>
public interface IAccount
{
    Task<Person?> Find(string id, CancellationToken stop);

    /// <summary>Ends the password that somebody else gave, and with it what keeps the person from everything.</summary>
    /// <param name="session">This one goes on; all others end: who else had the given password may have signed in with it.</param>
    /// <param name="userName">Null: the name stays.</param>
    Task<PersonFault?> SetUp(Actor by, string id, string session, string? userName, string password, CancellationToken stop);

    /// <param name="session">This one goes on; all others of the person end.</param>
    Task<PersonFault?> ChangePassword(Actor by, string id, string session, string current, string replacement, CancellationToken stop);

    /// <param name="key">In base 32, as made for this and shown to the person.</param>
    /// <param name="code">Of the app that has the key now.</param>
    Task<RecoveryCodes> TurnOnSecondFactor(Actor by, string id, string password, string key, string code, CancellationToken stop);

    /// <param name="code">Of the app, or a recovery code.</param>
    Task<PersonFault?> TurnOffSecondFactor(Actor by, string id, string code, CancellationToken stop);
}
