using System.Collections.Concurrent;

namespace DeviceHub.Core.Terminals;

/// <summary>
/// Thousands of terminals carry the same few merchants' and models' names: each is kept once. Bounded; past the bound texts are
/// simply not shared.
/// </summary>
internal static class SharedText
{
    private const int Max = 65_536;
    private static readonly ConcurrentDictionary<string, string> Texts = new(StringComparer.Ordinal);
    private static int count;

    public static string? Of(string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (Texts.TryGetValue(text, out var shared))
        {
            return shared;
        }

        if (Volatile.Read(ref count) >= Max || !Texts.TryAdd(text, text))
        {
            return text;
        }

        Interlocked.Increment(ref count);
        return text;
    }
}
