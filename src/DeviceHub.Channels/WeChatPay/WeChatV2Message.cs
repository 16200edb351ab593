using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Xml;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>
/// A message of version 2: flat XML, one level of fields. Signed over its fields in the order of their names, without the empty ones and the
/// signature itself.
/// </summary>
internal sealed class WeChatV2Message
{
    /// <summary>Of an answer; a refund query of 50 refunds with their coupons has some 400.</summary>
    private const int MaxFields = 1000;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersFromEntities = 1024,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
    };

    private readonly SortedList<string, string> fields = new(32, StringComparer.Ordinal);

    /// <summary>Null: there is no such field, or it is empty.</summary>
    public string? this[string name] => fields.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>Nothing is added for null and for an empty text, which would not be signed.</summary>
    public WeChatV2Message Add(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            fields.Add(name, value);
        }

        return this;
    }

    public WeChatV2Message Add(string name, long value) => Add(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>A whole number of fen, digits only; null: the field is missing or is none.</summary>
    public long? Fen(string name) =>
        this[name] is { Length: <= 15 } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>Null: not well-formed, not flat, a field twice, a DTD, or too much of it.</summary>
    /// <param name="root">What the outermost element is called.</param>
    public static WeChatV2Message? Read(ReadOnlyMemory<byte> xml, string root = "xml")
    {
        var bytes = MemoryMarshal.TryGetArray(xml, out var segment) ? segment : new ArraySegment<byte>(xml.ToArray());
        using var stream = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        try
        {
            using var reader = XmlReader.Create(stream, Settings);
            if (reader.MoveToContent() != XmlNodeType.Element || reader.Name != root || reader.IsEmptyElement)
            {
                return null;
            }

            var message = new WeChatV2Message();
            reader.Read();
            while (reader.MoveToContent() != XmlNodeType.EndElement)
            {
                if (reader.NodeType != XmlNodeType.Element || message.fields.Count == MaxFields)
                {
                    return null;
                }

                // It reads past the element, and throws when there is another one inside.
                var name = reader.Name;
                if (!message.fields.TryAdd(name, reader.ReadElementContentAsString()))
                {
                    return null;
                }
            }

            reader.Read();
            return reader.MoveToContent() == XmlNodeType.None ? message : null;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>Signs and writes it, in UTF-8.</summary>
    public byte[] Write(WeChatV2Keys keys)
    {
        fields["sign"] = Signature(keys);
        var text = new StringBuilder(1024).Append("<xml>");
        foreach (var (name, value) in fields)
        {
            text.Append('<').Append(name).Append('>');
            Escape(text, value);
            text.Append("</").Append(name).Append('>');
        }

        return Encoding.UTF8.GetBytes(text.Append("</xml>").ToString());
    }

    public bool IsSigned(WeChatV2Keys keys) =>
        this["sign"] is { Length: 32 or 64 } sign
        && CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(sign.AsSpan()), MemoryMarshal.AsBytes(Signature(keys).AsSpan()));

    /// <summary>Upper-case hex of the account's hash over <c>name=value&amp;...&amp;key=KEY</c>.</summary>
    internal string Signature(WeChatV2Keys keys)
    {
        var length = keys.ApiKey.Length + 4;
        foreach (var (name, value) in fields)
        {
            length += Encoding.UTF8.GetMaxByteCount(name.Length + value.Length + 2);
        }

        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var used = 0;
            foreach (var (name, value) in fields)
            {
                if (value.Length > 0 && name != "sign")
                {
                    used += Encoding.UTF8.GetBytes(name, rented.AsSpan(used));
                    rented[used++] = (byte)'=';
                    used += Encoding.UTF8.GetBytes(value, rented.AsSpan(used));
                    rented[used++] = (byte)'&';
                }
            }

            "key="u8.CopyTo(rented.AsSpan(used));
            used += 4;
            keys.ApiKey.CopyTo(rented.AsSpan(used));
            used += keys.ApiKey.Length;
            var signed = rented.AsSpan(0, used);
            Span<byte> hash = stackalloc byte[32];
#pragma warning disable CA5351 // The channel's own rule; HMAC-SHA256 is the account's other choice, and the default.
            var size = keys.IsHmac ? HMACSHA256.HashData(keys.ApiKey, signed, hash) : MD5.HashData(signed, hash);
#pragma warning restore CA5351
            return Convert.ToHexString(hash[..size]);
        }
        finally
        {
            // The key is in it.
            CryptographicOperations.ZeroMemory(rented);
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static void Escape(StringBuilder text, string value)
    {
        foreach (var c in value)
        {
            _ = c switch
            {
                '&' => text.Append("&amp;"),
                '<' => text.Append("&lt;"),
                '>' => text.Append("&gt;"),
                _ => text.Append(c),
            };
        }
    }
}
