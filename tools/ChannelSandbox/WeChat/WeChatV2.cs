using System.Buffers.Text;
using System.Security.Cryptography;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>
/// WeChat Pay v2: XML, signed with the merchant's API key. What is wrong with the message itself is said in <c>return_code</c>, unsigned; what
/// is wrong with what it asks for, in <c>result_code</c> and <c>err_code</c>, signed.
/// </summary>
internal sealed class WeChatV2(WeChatBook book, Bank.Bank bank, FaultPlan faults, ChannelClock clock, SandboxOptions options, RateLimit rates) : IDialect
{
    private const int MaxFen = 1_000_000_000;

    private readonly WeChatV2Refunds refunds = new(bank, faults);

    [ThreadStatic]
    private static FieldSet? request;

    [ThreadStatic]
    private static FieldSet? reply;

    public Api? ApiOf(string path) => path switch
    {
        "/pay/micropay" => Api.Pay,
        "/pay/orderquery" => Api.Query,
        "/secapi/pay/reverse" => Api.Reverse,
        "/secapi/pay/refund" => Api.Refund,
        "/pay/refundquery" => Api.RefundQuery,
        "/pay/downloadbill" => Api.Bill,
        _ => null,
    };

    public void Answer(Call call, Api api)
    {
        call.ContentType = Call.Xml;
        var fields = request ??= new FieldSet();
        var answer = reply ??= new FieldSet();
        answer.Clear();
        if (!HttpMethods.IsPost(call.Request.Method))
        {
            Unread(call, answer, "请使用post方法");
        }
        else if (!System.Text.Unicode.Utf8.IsValid(call.Body.Span))
        {
            Unread(call, answer, "编码格式错误");
        }
        else if (!fields.TryParse(call.Body.Span))
        {
            Unread(call, answer, "XML格式错误");
        }
        else if (book.Find(fields.Text("mch_id"u8)) is not { } merchant)
        {
            Unread(call, answer, fields.Has("mch_id"u8) ? "商户号mch_id不存在" : "缺少参数");
        }
        else if (!IsSigned(fields, merchant, out var hmac))
        {
            Unread(call, answer, "签名错误");
        }
        else
        {
            var exchange = new V2Exchange(call, fields, answer, merchant, hmac);
            Do(exchange, api);
            exchange.Seal();
        }
    }

    /// <summary>A message that was not understood: answered without a signature.</summary>
    private static void Unread(Call call, FieldSet answer, string says)
    {
        answer.Add("return_code"u8, "FAIL"u8);
        answer.Add("return_msg"u8, says);
        answer.WriteXml(call.Reply);
    }

    private static bool IsSigned(FieldSet fields, Merchant merchant, out bool hmac)
    {
        hmac = fields["sign_type"u8].SequenceEqual("HMAC-SHA256"u8);
        Span<byte> hex = stackalloc byte[64];
        var length = fields.Sign(merchant.ApiKey, hmac, hex);
        return CryptographicOperations.FixedTimeEquals(hex[..length], fields["sign"u8]);
    }

    private void Do(V2Exchange exchange, Api api)
    {
        var fields = exchange.Fields;
        if (rates.IsOver(exchange.Merchant.MchId))
        {
            exchange.Refuse("FREQUENCY_LIMITED");
        }
        else if (fields.Has("sign_type"u8) && !fields["sign_type"u8].SequenceEqual("MD5"u8) && !exchange.Hmac)
        {
            exchange.Refuse("PARAM_ERROR", "sign_type");
        }
        else if (!fields.Has("appid"u8) || !fields.Has("nonce_str"u8))
        {
            exchange.Refuse("LACK_PARAMS", fields.Has("appid"u8) ? "nonce_str" : "appid");
        }
        else if (fields["nonce_str"u8].Length > 32)
        {
            exchange.Refuse("PARAM_ERROR", "nonce_str");
        }
        else if (!exchange.Merchant.Account.AppIds.Contains(fields.Text("appid"u8)!))
        {
            exchange.Refuse("APPID_MCHID_NOT_MATCH");
        }
        else if (api is Api.Reverse or Api.Refund && !exchange.HasCertificate)
        {
            exchange.Refuse("INVALID_REQUEST", "证书验证失败");
        }
        else if (api == Api.Bill)
        {
            WeChatBill.AnswerV2(exchange, bank, clock, options);
        }
        else if (exchange.Merchant.Scope(fields.Text("sub_mch_id"u8)) is not { } scope)
        {
            exchange.Refuse("PARAM_ERROR", "sub_mch_id与mch_id的关系不正确");
        }
        else
        {
            exchange.Scope = scope;
            Do(exchange, api, scope);
        }
    }

    private void Do(V2Exchange exchange, Api api, string scope)
    {
        switch (api)
        {
            case Api.Pay:
                Pay(exchange, scope);
                break;
            case Api.Query:
                Query(exchange);
                break;
            case Api.Reverse:
                Reverse(exchange);
                break;
            case Api.Refund:
                refunds.Refund(exchange);
                break;
            default:
                refunds.Query(exchange);
                break;
        }
    }

    private void Pay(V2Exchange exchange, string scope)
    {
        var fields = exchange.Fields;
        if (FaultOfPayment(fields, out var fen) is { } fault)
        {
            exchange.Refuse(fault.Code, fault.Field);
            return;
        }

        var number = fields.Text("out_trade_no"u8)!;
        var planned = exchange.Plan(faults.For(Api.Pay, Channel.WeChat, number, fen, 0));
        var payment = new Payment(new(Channel.WeChat, scope, number), fen, CodeDigest.Of(fields["auth_code"u8]))
        {
            Subject = fields.Text("body"u8)!,
            Application = fields.Text("appid"u8)!,
            Device = fields.Text("device_info"u8),
            Attach = fields.Text("attach"u8),
            NotifyUrl = fields.Text("notify_url"u8) ?? exchange.Merchant.Account.NotifyUrl,
        };
        var answer = bank.Pay(payment, planned);
        if (planned?.Code is { } code && answer.Outcome is not (PayOutcome.Again or PayOutcome.NumberUsed or PayOutcome.CodeUsed or PayOutcome.Full))
        {
            exchange.Refuse(code);
            return;
        }

        var refusal = Refusal(answer);
        if (refusal is null)
        {
            WeChatV2Replies.Paid(exchange, answer.Order!);
        }
        else
        {
            exchange.Refuse(refusal);
        }
    }

    /// <summary>Null: paid.</summary>
    private static string? Refusal(PayAnswer answer) => answer.Outcome switch
    {
        PayOutcome.Paid => null,
        PayOutcome.Waiting => "USERPAYING",
        PayOutcome.Refused => "TRADE_ERROR",
        PayOutcome.Closed => "ORDERCLOSED",
        PayOutcome.Revoked => "ORDERREVERSED",
        PayOutcome.NumberUsed => "OUT_TRADE_NO_USED",
        PayOutcome.CodeUsed => "AUTH_CODE_ERROR",
        PayOutcome.Again => answer.Order!.State switch
        {
            OrderState.Paid => "ORDERPAID",
            OrderState.Waiting => "USERPAYING",
            OrderState.Closed => "ORDERCLOSED",
            OrderState.Revoked => "ORDERREVERSED",
            _ => "AUTH_CODE_ERROR",
        },
        _ => "SYSTEMERROR",
    };

    private static (string Code, string Field)? FaultOfPayment(FieldSet fields, out long fen)
    {
        fen = 0;
        ReadOnlySpan<byte> ip = fields["spbill_create_ip"u8];
        if (!fields.Has("body"u8) || !fields.Has("out_trade_no"u8) || !fields.Has("total_fee"u8) || !fields.Has("auth_code"u8) || ip.IsEmpty)
        {
            var lacks = !fields.Has("body"u8) ? "body" : !fields.Has("out_trade_no"u8) ? "out_trade_no" : !fields.Has("total_fee"u8) ? "total_fee" : !fields.Has("auth_code"u8) ? "auth_code" : "spbill_create_ip";
            return ("LACK_PARAMS", lacks);
        }

        if (!Utf8Parser.TryParse(fields["total_fee"u8], out fen, out var used) || used != fields["total_fee"u8].Length || fen is <= 0 or > MaxFen)
        {
            return ("PARAM_ERROR", "total_fee");
        }

        var wrong = !WeChatBook.IsOrderNumber(fields.Text("out_trade_no"u8)) ? "out_trade_no"
            : fields["body"u8].Length > 128 ? "body"
            : fields["device_info"u8].Length > 32 ? "device_info"
            : fields["attach"u8].Length > 127 ? "attach"
            : fields["scene_info"u8].Length > 256 ? "scene_info"
            : ip.Length > 64 ? "spbill_create_ip"
            : fields.Has("fee_type"u8) && !fields["fee_type"u8].SequenceEqual("CNY"u8) ? "fee_type" : null;
        return wrong is not null ? ("PARAM_ERROR", wrong) : WeChatBook.IsPaymentCode(fields["auth_code"u8]) ? null : ("AUTH_CODE_INVALID", "");
    }

    private void Query(V2Exchange exchange)
    {
        if (exchange.OrderKey(bank) is not { } key)
        {
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Query, Channel.WeChat, key.Number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
            return;
        }

        var answer = bank.Query(key);
        switch (answer.Outcome)
        {
            case QueryOutcome.Found:
                WeChatV2Replies.State(exchange, answer.Order!);
                break;
            case QueryOutcome.NotFound:
                exchange.Refuse("ORDERNOTEXIST");
                break;
            default:
                exchange.Refuse("SYSTEMERROR");
                break;
        }
    }

    private void Reverse(V2Exchange exchange)
    {
        if (exchange.OrderKey(bank) is not { } key)
        {
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Reverse, Channel.WeChat, key.Number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Recall("Y");
            exchange.Refuse(code);
            return;
        }

        var answer = planned is { IsDone: false } ? new ReverseAnswer(ReverseOutcome.Closed, null) : bank.Reverse(key, options.ReverseAfter, TimeSpan.FromDays(7));
        exchange.Recall(answer.Outcome == ReverseOutcome.TooEarly ? "Y" : "N");
        switch (answer.Outcome)
        {
            case ReverseOutcome.TooEarly:
                exchange.Refuse("INVALID_REQUEST", "请勿扣款后立即调用撤销订单接口");
                break;
            case ReverseOutcome.TooLate:
                exchange.Refuse("REVERSE_EXPIRE");
                break;
            case ReverseOutcome.Refunded:
                exchange.Refuse("TRADE_ERROR", "订单已发起退款");
                break;
            default:
                // Also for an order that nobody knows: merchants have found that any number is answered with success.
                exchange.Accept();
                break;
        }
    }
}
