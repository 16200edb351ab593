using System.Collections.Frozen;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels;

/// <summary>What one code of a channel proves.</summary>
/// <param name="Says">Why, for the reader of the table and of the timeline.</param>
public sealed record CodeRow(string Code, Verdict Verdict, DeclineReason Reason, string Says);

/// <summary>
/// A channel's codes and what each proves: an allow-list. What is not in it is Unknown (I5), and so counted and told
/// (<see cref="ChannelAlarms"/>).
/// </summary>
public sealed class VerdictTable
{
    private readonly FrozenDictionary<string, CodeRow> rows;

    /// <exception cref="ArgumentException">A code stands in it twice: which of the two holds would be an accident.</exception>
    public VerdictTable(string name, params IReadOnlyList<CodeRow> rows)
    {
        Name = name;
        Rows = rows;
        if (rows.GroupBy(r => r.Code, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"{name}: the code {twice.Key} is in the table {twice.Count()} times");
        }

        this.rows = rows.ToFrozenDictionary(r => r.Code, StringComparer.Ordinal);
    }

    public string Name { get; }

    public IReadOnlyList<CodeRow> Rows { get; }

    /// <summary>Null: it is in no table.</summary>
    public CodeRow? Find(string code) => rows.GetValueOrDefault(code);
}
