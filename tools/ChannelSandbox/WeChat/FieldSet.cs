using System.Security.Cryptography;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>
/// The fields of a v2 message, as bytes of UTF-8, without a string for each. Bounded: at most <see cref="MaxFields"/>. What is signed is
/// every field that is not empty but <c>sign</c>, sorted by name, as <c>name=value&amp;...&amp;key=KEY</c>.
/// </summary>
internal sealed class FieldSet
{
    public const int MaxFields = 64;

    private readonly (int At, int NameLength, int ValueLength)[] fields = new (int, int, int)[MaxFields];
    private readonly Draft text = new();

    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[ReadOnlySpan<byte> name]
    {
        get
        {
            for (var i = 0; i < Count; i++)
            {
                if (Name(i).SequenceEqual(name))
                {
                    return Value(i);
                }
            }

            return default;
        }
    }

    public void Clear()
    {
        Count = 0;
        text.Clear();
    }

    public bool Has(ReadOnlySpan<byte> name) => this[name].Length > 0;

    /// <summary>Null: not there, or empty.</summary>
    public string? Text(ReadOnlySpan<byte> name) => this[name] is { Length: > 0 } value ? System.Text.Encoding.UTF8.GetString(value) : null;

    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Begin(name);
        text.Add(value);
        End();
    }

    public void Add(ReadOnlySpan<byte> name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            Begin(name);
            text.Add(value);
            End();
        }
    }

    public void Add(ReadOnlySpan<byte> name, long value)
    {
        Begin(name);
        text.Add(value);
        End();
    }

    /// <summary>False: not a flat XML document as the channel takes it, or too many fields.</summary>
    public bool TryParse(ReadOnlySpan<byte> xml)
    {
        Clear();
        xml = Trim(xml);
        if (xml.StartsWith("<?xml"u8))
        {
            var end = xml.IndexOf("?>"u8);
            if (end < 0)
            {
                return false;
            }

            xml = Trim(xml[(end + 2)..]);
        }

        if (!xml.StartsWith("<xml>"u8))
        {
            return false;
        }

        xml = Trim(xml[5..]);
        while (!xml.StartsWith("</xml>"u8))
        {
            if (Count == MaxFields || !TryField(ref xml))
            {
                return false;
            }

            xml = Trim(xml);
        }

        return Trim(xml[6..]).IsEmpty;
    }

    /// <summary>As XML, every value that is not a number in CDATA, as the channel writes it.</summary>
    public void WriteXml(Draft into) => WriteXml(into, "xml"u8);

    public void WriteXml(Draft into, ReadOnlySpan<byte> root)
    {
        into.Add((byte)'<');
        into.Add(root);
        into.Add((byte)'>');
        for (var i = 0; i < Count; i++)
        {
            into.Add((byte)'<');
            into.Add(Name(i));
            into.Add("><![CDATA["u8);
            into.Add(Value(i));
            into.Add("]]></"u8);
            into.Add(Name(i));
            into.Add((byte)'>');
        }

        into.Add("</"u8);
        into.Add(root);
        into.Add((byte)'>');
    }

    /// <summary>The signature, upper-case hexadecimal, over the fields that are there now.</summary>
    public int Sign(ReadOnlySpan<byte> key, bool hmac, Span<byte> hex)
    {
        var draft = Draft.Rent();
        WriteSigned(draft, key);
        Span<byte> hash = stackalloc byte[32];
        var length = hmac ? HMACSHA256.HashData(key, draft.Written, hash) : MD5.HashData(draft.Written, hash);
        draft.Return();
        for (var i = 0; i < length; i++)
        {
            hex[2 * i] = Digit(hash[i] >> 4);
            hex[(2 * i) + 1] = Digit(hash[i] & 15);
        }

        return 2 * length;
    }

    private static byte Digit(int value) => (byte)(value < 10 ? '0' + value : 'A' + value - 10);

    private void WriteSigned(Draft into, ReadOnlySpan<byte> key)
    {
        Span<int> order = stackalloc int[MaxFields];
        var count = 0;
        for (var i = 0; i < Count; i++)
        {
            if (Value(i).IsEmpty || Name(i).SequenceEqual("sign"u8))
            {
                continue;
            }

            var at = count++;
            while (at > 0 && Name(order[at - 1]).SequenceCompareTo(Name(i)) > 0)
            {
                order[at] = order[at - 1];
                at--;
            }

            order[at] = i;
        }

        foreach (var i in order[..count])
        {
            into.Add(Name(i));
            into.Add((byte)'=');
            into.Add(Value(i));
            into.Add((byte)'&');
        }

        into.Add("key="u8);
        into.Add(key);
    }

    private ReadOnlySpan<byte> Name(int i) => text.Written.Slice(fields[i].At, fields[i].NameLength);

    private ReadOnlySpan<byte> Value(int i) => text.Written.Slice(fields[i].At + fields[i].NameLength, fields[i].ValueLength);

    private void Begin(ReadOnlySpan<byte> name)
    {
        fields[Count] = (text.Length, name.Length, 0);
        text.Add(name);
    }

    private void End()
    {
        var (at, nameLength, _) = fields[Count];
        fields[Count++] = (at, nameLength, text.Length - at - nameLength);
    }

    private bool TryField(ref ReadOnlySpan<byte> xml)
    {
        var close = xml.IndexOf((byte)'>');
        if (close < 2 || xml[0] != '<' || !IsName(xml[1..close]))
        {
            return false;
        }

        var name = xml[1..close];
        Begin(name);
        xml = xml[(close + 1)..];
        while (true)
        {
            if (xml.StartsWith("<![CDATA["u8))
            {
                var end = xml.IndexOf("]]>"u8);
                if (end < 0)
                {
                    return false;
                }

                text.Add(xml[9..end]);
                xml = xml[(end + 3)..];
            }
            else if (xml.StartsWith("</"u8))
            {
                var rest = xml[2..];
                if (!rest.StartsWith(name) || rest.Length <= name.Length || rest[name.Length] != '>')
                {
                    return false;
                }

                xml = rest[(name.Length + 1)..];
                End();
                return true;
            }
            else if (!TryText(ref xml))
            {
                return false;
            }
        }
    }

    private bool TryText(ref ReadOnlySpan<byte> xml)
    {
        var length = xml.IndexOfAny((byte)'<', (byte)'&');
        if (length < 0)
        {
            return false;
        }

        text.Add(xml[..length]);
        xml = xml[length..];
        if (xml[0] == '<')
        {
            return length > 0;
        }

        var end = xml[..Math.Min(xml.Length, 12)].IndexOf((byte)';');
        var entity = end < 0 ? default : xml[1..end];
        var one = entity.SequenceEqual("lt"u8) ? (byte)'<' : entity.SequenceEqual("gt"u8) ? (byte)'>' : entity.SequenceEqual("amp"u8) ? (byte)'&'
            : entity.SequenceEqual("quot"u8) ? (byte)'"' : entity.SequenceEqual("apos"u8) ? (byte)'\'' : (byte)0;
        if (one == 0 && !TryNumber(entity))
        {
            return false;
        }

        if (one != 0)
        {
            text.Add(one);
        }

        xml = xml[(end + 1)..];
        return true;
    }

    private bool TryNumber(ReadOnlySpan<byte> entity)
    {
        if (entity.Length < 2 || entity[0] != '#')
        {
            return false;
        }

        var hex = entity[1] == 'x';
        var digits = System.Text.Encoding.ASCII.GetString(hex ? entity[2..] : entity[1..]);
        if (!int.TryParse(digits, hex ? System.Globalization.NumberStyles.AllowHexSpecifier : System.Globalization.NumberStyles.None, null, out var number)
            || !System.Text.Rune.IsValid(number))
        {
            return false;
        }

        text.Advance(new System.Text.Rune(number).EncodeToUtf8(text.GetSpan(4)));
        return true;
    }

    private static bool IsName(ReadOnlySpan<byte> name)
    {
        foreach (var b in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b != '_')
            {
                return false;
            }
        }

        return true;
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> xml) => xml.Trim(" \t\r\n"u8);
}
