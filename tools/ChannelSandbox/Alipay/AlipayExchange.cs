using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>A gateway call, and the answer that is made of it: <c>{"alipay_..._response":{...},"sign":"..."}</c>, signed over the inner text.</summary>
internal sealed class AlipayExchange(Call call, AlipayForm form, string node, KeyPool key)
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Draft inner = new();

    public Call Call => call;

    public AlipayForm Form => form;

    /// <summary>Of <c>biz_content</c>.</summary>
    public JsonElement Content { get; set; }

    /// <summary>Whose orders: the seller's number.</summary>
    public string Seller { get; set; } = "";

    public string AppId => form["app_id"] ?? "";

    public OrderKey Key(string number) => new(Channel.Alipay, Seller, number);

    /// <summary>Null: not there, empty, or neither text nor number.</summary>
    public string? Text(string name) => Content.ValueKind == JsonValueKind.Object && Content.TryGetProperty(name, out var value)
        ? value.ValueKind switch { JsonValueKind.String => value.GetString() is { Length: > 0 } text ? text : null, JsonValueKind.Number => value.GetRawText(), _ => null } : null;

    public Fault? Plan(Fault? fault) => call.Fault = AlipayCodes.Table.Resolve(fault);

    public void Refuse(string subCode, string? more = null)
    {
        var known = AlipayCodes.Table[subCode];
        var code = known.Status == 400 ? 40004 : known.Status;
        Write(code, json =>
        {
            json.WriteString("sub_code"u8, known.Code);
            json.WriteString("sub_msg"u8, more is null ? known.Text : $"{known.Text}: {more}");
        });
    }

    public void Write(int code, Action<Utf8JsonWriter> fields)
    {
        inner.Clear();
        using var json = new Utf8JsonWriter(inner, WriterOptions);
        json.WriteStartObject();
        json.WriteString("code"u8, code.ToString(CultureInfo.InvariantCulture));
        json.WriteString("msg"u8, AlipayCodes.Word(code));
        fields(json);
        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>Writes the whole answer in the charset of the request.</summary>
    public void Seal()
    {
        var text = System.Text.Encoding.UTF8.GetString(inner.Written);
        var content = form.Encoding.GetBytes(text);
        call.ContentType = form.Encoding.WebName == "utf-8" ? "text/html;charset=utf-8" : "text/html;charset=GBK";
        call.Reply.Clear();
        call.Reply.Add($"{{\"{node}\":");
        call.Reply.Add(content);
        if (!call.LacksSignature)
        {
            var signed = (byte[])content.Clone();
            if (call.SpoilsSignature)
            {
                signed[^1] ^= 1;
            }

            call.Reply.Add($",\"sign\":\"{key.Sign(signed)}\"");
        }

        call.Reply.Add((byte)'}');
    }
}
