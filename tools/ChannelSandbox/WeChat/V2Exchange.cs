using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>A v2 request whose signature is right, and the answer that is made of it.</summary>
internal sealed class V2Exchange(Call call, FieldSet fields, FieldSet answer, Merchant merchant, bool hmac)
{
    private bool accepted;
    private bool written;

    public Call Call => call;

    public FieldSet Fields => fields;

    public FieldSet Answer => answer;

    public Merchant Merchant => merchant;

    public bool Hmac => hmac;

    /// <summary>Whose orders.</summary>
    public string Scope { get; set; } = "";

    /// <summary>On TLS the merchant's API certificate; on plain HTTP, which only loopback reaches, nothing stands for it.</summary>
    public bool HasCertificate => !call.Request.IsHttps || call.Context.Connection.ClientCertificate?.Thumbprint == merchant.Thumbprint;

    /// <summary>The fault with WeChat's code; it also decides how the answer travels.</summary>
    public Fault? Plan(Fault? fault) => call.Fault = WeChatCodes.V2.Resolve(fault);

    public void Accept() => accepted = true;

    public void Refuse(string code, string? more = null)
    {
        var known = WeChatCodes.V2[code];
        answer.Add("err_code"u8, known.Code);
        answer.Add("err_code_des"u8, string.IsNullOrEmpty(more) ? known.Text : $"{known.Text}:{more}");
    }

    /// <summary>Bills say their errors in <c>return_code</c>.</summary>
    public void RefuseBill(string says, string code)
    {
        answer.Clear();
        answer.Add("return_code"u8, "FAIL"u8);
        answer.Add("return_msg"u8, says);
        answer.Add("error_code"u8, code);
        answer.WriteXml(call.Reply);
        written = true;
    }

    public void Recall(string value) => answer.Add("recall"u8, value);

    /// <summary>Null: the order is not named as it should be, which is answered.</summary>
    public OrderKey? OrderKey(Bank.Bank bank)
    {
        if (fields.Text("out_trade_no"u8) is { } number)
        {
            if (WeChatBook.IsOrderNumber(number))
            {
                return new(Channel.WeChat, Scope, number);
            }

            Refuse("PARAM_ERROR", "out_trade_no");
            return null;
        }

        if (fields.Text("transaction_id"u8) is { Length: 28 } id && long.TryParse(id.AsSpan(15), out var sequence))
        {
            return bank.FindBySequence(Channel.WeChat, Scope, sequence)?.Key ?? new(Channel.WeChat, Scope, id);
        }

        Refuse("LACK_PARAMS", "out_trade_no");
        return null;
    }

    /// <summary>Adds what every answer has, signs, and writes it.</summary>
    public void Seal()
    {
        if (written || call.Stream is not null)
        {
            return;
        }

        Span<byte> nonce = stackalloc byte[32];
        Guid.NewGuid().TryFormat(nonce, out _, "N");
        answer.Add("return_code"u8, "SUCCESS"u8);
        answer.Add("return_msg"u8, "OK"u8);
        answer.Add("result_code"u8, accepted ? "SUCCESS"u8 : "FAIL"u8);
        answer.Add("appid"u8, fields["appid"u8]);
        answer.Add("mch_id"u8, fields["mch_id"u8]);
        if (fields.Has("sub_mch_id"u8))
        {
            answer.Add("sub_mch_id"u8, fields["sub_mch_id"u8]);
        }

        answer.Add("nonce_str"u8, nonce);
        if (!call.LacksSignature)
        {
            Span<byte> hex = stackalloc byte[64];
            var length = answer.Sign(merchant.ApiKey, hmac, hex);
            if (call.SpoilsSignature)
            {
                hex[0] = hex[0] == '0' ? (byte)'1' : (byte)'0';
            }

            answer.Add("sign"u8, hex[..length]);
        }

        answer.WriteXml(call.Reply);
    }
}
