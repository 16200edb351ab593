using DeviceHub.Core.People;
using Microsoft.Extensions.Localization;

namespace DeviceHub.Dashboard.Shared;

/// <summary>Who did something, as people read it: a person's name, a program's by its API key, the hub. What is kept is the key's id.</summary>
public sealed class Who(IApiKeys keys, IStringLocalizer<Words> words)
{
    private const string Key = "key:";
    private const int MaxKeys = 500;

    private readonly Dictionary<string, string> known = new(StringComparer.Ordinal);

    public static bool IsProgram(string? name) => name?.StartsWith(Key, StringComparison.Ordinal) is true;

    /// <summary>Before these are told: reads the names of keys, if one among them is not known yet.</summary>
    public async Task Know(IEnumerable<string?> names, CancellationToken stop)
    {
        var unknown = names.Where(IsProgram).Where(name => !known.ContainsKey(name!)).ToList();
        if (unknown.Count > 0)
        {
            foreach (var key in await keys.List(0, MaxKeys, stop))
            {
                known[Key + key.Id] = key.Name;
            }

            // A key that is older than those stays its id, and is not looked for again.
            unknown.ForEach(name => known.TryAdd(name!, name![Key.Length..]));
        }
    }

    public string Of(string name) => name switch
    {
        Actor.Hub => words["WhoHub"],
        _ when IsProgram(name) => words["WhoKey", known.GetValueOrDefault(name, name[Key.Length..])],
        _ => Actor.Shown(name),
    };
}
