using System.Text;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>
/// The parameters of a gateway call, of the address and of the form together, decoded in the charset that they name. What is signed is every
/// one that is not empty but <c>sign</c>, sorted by name.
/// </summary>
internal sealed class AlipayForm
{
    private const int MaxParameters = 64;

    private readonly SortedDictionary<string, string> values = new(StringComparer.Ordinal);

    private AlipayForm(Encoding encoding) => Encoding = encoding;

    /// <summary>Of requests and answers.</summary>
    public Encoding Encoding { get; }

    public string? this[string name] => values.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>Null: not a form, or with too much in it.</summary>
    public static AlipayForm? Parse(string? query, ReadOnlySpan<byte> body)
    {
        var pairs = new List<(byte[] Name, byte[] Value)>();
        if (!TryAdd(pairs, Encoding.ASCII.GetBytes(query is { Length: > 1 } ? query[1..] : "")) || !TryAdd(pairs, body))
        {
            return null;
        }

        var charset = pairs.Find(p => p.Name.AsSpan().SequenceEqual("charset"u8)).Value;
        var form = new AlipayForm(charset is not null && Encoding.ASCII.GetString(charset).ToUpperInvariant() is "GBK" or "GB2312" ? Gbk : new UTF8Encoding(false));
        foreach (var (name, value) in pairs)
        {
            if (!form.values.TryAdd(form.Encoding.GetString(name), form.Encoding.GetString(value)))
            {
                return null;
            }
        }

        return form;
    }

    public static Encoding Gbk { get; } = CodePagesEncodingProvider.Instance.GetEncoding("GBK")!;

    public byte[] Signed()
    {
        var text = new StringBuilder();
        foreach (var (name, value) in values)
        {
            if (name != "sign" && value.Length > 0)
            {
                text.Append(text.Length > 0 ? "&" : "").Append(name).Append('=').Append(value);
            }
        }

        return Encoding.GetBytes(text.ToString());
    }

    private static bool TryAdd(List<(byte[] Name, byte[] Value)> pairs, ReadOnlySpan<byte> text)
    {
        foreach (var range in text.Split((byte)'&'))
        {
            var pair = text[range];
            var equals = pair.IndexOf((byte)'=');
            if (pair.IsEmpty)
            {
                continue;
            }

            if (equals < 1 || pairs.Count == MaxParameters || Unescape(pair[..equals]) is not { } name || Unescape(pair[(equals + 1)..]) is not { } value)
            {
                return false;
            }

            pairs.Add((name, value));
        }

        return true;
    }

    private static byte[]? Unescape(ReadOnlySpan<byte> text)
    {
        var draft = Draft.Rent();
        try
        {
            for (var i = 0; i < text.Length; i++)
            {
                if (text[i] != '%')
                {
                    draft.Add(text[i] == '+' ? (byte)' ' : text[i]);
                }
                else if (i + 2 < text.Length && System.Buffers.Text.Utf8Parser.TryParse(text.Slice(i + 1, 2), out byte one, out var used, 'x') && used == 2)
                {
                    draft.Add(one);
                    i += 2;
                }
                else
                {
                    return null;
                }
            }

            return draft.Written.ToArray();
        }
        finally
        {
            draft.Return();
        }
    }
}
