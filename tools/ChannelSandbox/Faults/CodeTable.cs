using System.Collections.Frozen;

namespace DeviceHub.Tools.ChannelSandbox.Faults;

/// <param name="Effect">What becomes of a payment that a fault answers with it.</param>
/// <param name="Status">Of HTTP, where the dialect says it there.</param>
internal sealed record ChannelCode(string Code, string Text, Effect Effect = Effect.Nothing, int Status = 400);

/// <summary>The codes that a dialect's documents name, in the order of README.md: the row is the amount's last two digits at 9,000 yuan.</summary>
internal sealed class CodeTable
{
    private readonly ChannelCode[] rows;
    private readonly FrozenDictionary<string, ChannelCode> byName;

    /// <param name="words">The names that faults have for codes of every channel: <c>no-funds</c>, ...</param>
    public CodeTable(ChannelCode[] rows, (string Word, string Code)[] words)
    {
        this.rows = rows;
        var codes = rows.ToDictionary(r => r.Code);
        foreach (var (word, code) in words)
        {
            codes[word] = codes[code];
        }

        byName = codes.ToFrozenDictionary();
    }

    public IReadOnlyList<ChannelCode> Rows => rows;

    public ChannelCode this[string code] => byName.TryGetValue(code, out var known) ? known : new(code, "no document names it");

    /// <summary>The fault with its code as the dialect says it, and with what the code does to a payment when the fault itself says nothing of that.</summary>
    public Fault? Resolve(Fault? fault)
    {
        if (fault is null or { Code: null, Row: 0 })
        {
            return fault;
        }

        var code = fault.Row > 0 ? fault.Row <= rows.Length ? rows[fault.Row - 1] : null : this[fault.Code!];
        return code is null ? null : fault with { Code = code.Code, Effect = fault.Effect == Effect.Usual ? code.Effect : fault.Effect };
    }
}
