namespace DeviceHub.Core.Configuration;

/// <summary>One key of two configurations that differs.</summary>
/// <param name="Before">Null: it is added.</param>
/// <param name="After">Null: it is removed.</param>
public sealed record ConfigurationChange(string Key, ConfigurationEntry? Before, ConfigurationEntry? After)
{
    /// <summary>What leads from one to the other, by key. Both are sorted by it.</summary>
    public static IReadOnlyList<ConfigurationChange> Between(IReadOnlyList<ConfigurationEntry> before, IReadOnlyList<ConfigurationEntry> after)
    {
        var changes = new List<ConfigurationChange>();
        for (int b = 0, a = 0; b < before.Count || a < after.Count;)
        {
            var order = b == before.Count ? 1 : a == after.Count ? -1 : string.CompareOrdinal(before[b].Key, after[a].Key);
            if (order < 0)
            {
                changes.Add(new(before[b].Key, before[b++], null));
            }
            else if (order > 0)
            {
                changes.Add(new(after[a].Key, null, after[a++]));
            }
            else
            {
                if (before[b] != after[a])
                {
                    changes.Add(new(after[a].Key, before[b], after[a]));
                }

                (a, b) = (a + 1, b + 1);
            }
        }

        return changes;
    }
}
