namespace DeviceHub.Core.People;

/// <summary>What a signed-in person is. A person has one of them.</summary>
public static class Roles
{
    /// <summary>May do everything.</summary>
    public const string Owner = "owner";

    /// <summary>Runs the fleet and the payments; not people, keys and channel accounts.</summary>
    public const string Operator = "operator";

    /// <summary>Looks and changes nothing.</summary>
    public const string ReadOnly = "read-only";

    public static readonly IReadOnlyList<string> All = [Owner, Operator, ReadOnly];
}

/// <summary>Names of what pages and actions ask for; who may is decided where the server sets up authorization.</summary>
public static class Policies
{
    /// <summary>Whoever has signed in and has an own password; no key.</summary>
    public const string Person = "person";

    /// <summary>To look.</summary>
    public const string Read = "read";

    /// <summary>To run fleet and payments: suspend, configure, cancel, refund.</summary>
    public const string Operate = "operate";

    /// <summary>People, keys, channel accounts, the Orleans dashboard.</summary>
    public const string Own = "own";
}
