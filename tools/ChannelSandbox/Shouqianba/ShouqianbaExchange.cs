using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.Shouqianba;

/// <summary>A call to Shouqianba, and the answer that is made of it. Answers are not signed; every value in them is text.</summary>
internal sealed class ShouqianbaExchange(Call call, JsonElement body)
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public Call Call => call;

    /// <summary>Whose orders: the vendor's number.</summary>
    public string Vendor { get; set; } = "";

    public Fault? Plan(Fault? fault) => call.Fault = ShouqianbaCodes.Table.Resolve(fault);

    /// <summary>Null: not there, empty, or no text. Numbers are no texts, as the documents demand.</summary>
    public string? Text(string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    public OrderKey Key(string number) => new(Channel.Shouqianba, Vendor, number);

    /// <summary>Whether a header <c>sn sign</c> has MD5 over body and key.</summary>
    public static bool IsSigned(Call call, string sign, string key)
    {
        var draft = Draft.Rent();
        draft.Add(call.Body.Span);
        draft.Add(key);
        Span<byte> hash = stackalloc byte[16];
        MD5.HashData(draft.Written, hash);
        draft.Return();
        return string.Equals(sign, Convert.ToHexStringLower(hash), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>What is wrong with the message, or in the business when the code is one of it.</summary>
    public void Refuse(string code, string? more = null, string biz = "FAIL", Order? order = null)
    {
        var known = ShouqianbaCodes.Table[code];
        if (known.Status is 400 or 500 && IsOfMessage(known))
        {
            Write(call, json =>
            {
                json.WriteString("result_code"u8, known.Status.ToString(CultureInfo.InvariantCulture));
                Error(json, known, more);
            });
            return;
        }

        Business(biz, order, json => Error(json, known, more));
    }

    public void Business(string biz, Order? order, Action<Utf8JsonWriter>? error = null) => Write(call, json =>
    {
        json.WriteString("result_code"u8, "200"u8);
        json.WriteStartObject("biz_response"u8);
        json.WriteString("result_code"u8, biz);
        error?.Invoke(json);
        if (order is not null)
        {
            ShouqianbaJson.WriteOrder(json, order, biz);
        }

        json.WriteEndObject();
    });

    public static void Write(Call call, Action<Utf8JsonWriter> fields)
    {
        call.Reply.Clear();
        using var json = new Utf8JsonWriter(call.Reply, WriterOptions);
        json.WriteStartObject();
        fields(json);
        json.WriteEndObject();
    }

    /// <summary>A code that no table has is one of the business.</summary>
    private static bool IsOfMessage(ChannelCode known) => ShouqianbaCodes.Table.Rows.Contains(known);

    private static void Error(Utf8JsonWriter json, ChannelCode known, string? more)
    {
        json.WriteString("error_code"u8, known.Code);
        json.WriteString("error_message"u8, more is null ? known.Text : $"{known.Text}: {more}");
    }
}
