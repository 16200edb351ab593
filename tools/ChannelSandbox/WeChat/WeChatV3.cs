using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>WeChat Pay v3: JSON, signed with the merchant's RSA key, answered with the platform's.</summary>
internal sealed class WeChatV3(WeChatBook book, Bank.Bank bank, FaultPlan faults, ChannelClock clock, SandboxOptions options, RateLimit rates) : IDialect
{
    private const string Direct = "/v3/pay/transactions/";
    private const string Partner = "/v3/pay/partner/transactions/";
    private const string Refunds = "/v3/refund/domestic/refunds";
    private const int MaxFen = 1_000_000_000;

    private readonly WeChatV3Refunds refunds = new(bank, faults);
    private readonly WeChatV3Bills bills = new(book, bank, clock, options);

    public Api? ApiOf(string path) =>
        path.StartsWith(Direct, StringComparison.Ordinal) || path.StartsWith(Partner, StringComparison.Ordinal)
            ? path.EndsWith("/codepay", StringComparison.Ordinal) ? Api.Pay : path.EndsWith("/reverse", StringComparison.Ordinal) ? Api.Reverse : Api.Query
        : path == Refunds ? Api.Refund
        : path.StartsWith(Refunds + "/", StringComparison.Ordinal) ? Api.RefundQuery
        : path is "/v3/bill/tradebill" or "/v3/billdownload/file" ? Api.Bill
        : path == "/v3/certificates" ? Api.Other
        : null;

    public void Answer(Call call, Api api)
    {
        var exchange = new V3Exchange(call, book, clock) { IsPartner = call.Request.Path.Value!.StartsWith(Partner, StringComparison.Ordinal) };
        var authorization = V3Authorization.Parse(call.Request.Headers.Authorization);
        if (call.Request.Headers.Accept.Count == 0 || call.Request.Headers.UserAgent.Count == 0)
        {
            exchange.Refuse("PARAM_ERROR", "Http头缺少Accept或User-Agent");
        }
        else if (authorization is not { } signed)
        {
            exchange.Refuse("SIGN_ERROR", "Http头Authorization值格式错误");
        }
        else if (book.Find(signed.MchId) is not { } merchant)
        {
            exchange.Refuse("SIGN_ERROR", "商户号不存在");
        }
        else if (signed.FaultOf(call, merchant, clock) is { } wrong)
        {
            exchange.Refuse("SIGN_ERROR", wrong);
        }
        else
        {
            exchange.Merchant = merchant;
            Do(exchange, api);
        }

        exchange.Seal();
    }

    private void Do(V3Exchange exchange, Api api)
    {
        var wanted = api is Api.Pay or Api.Reverse or Api.Refund ? HttpMethods.Post : HttpMethods.Get;
        if (rates.IsOver(exchange.Merchant!.MchId))
        {
            exchange.Refuse("FREQUENCY_LIMITED");
        }
        else if (!HttpMethods.Equals(exchange.Call.Request.Method, wanted))
        {
            exchange.Refuse("INVALID_REQUEST", "http method");
        }
        else if (wanted == HttpMethods.Post)
        {
            WithBody(exchange, api);
        }
        else if (api == Api.Query)
        {
            Query(exchange);
        }
        else if (api == Api.RefundQuery)
        {
            refunds.Query(exchange);
        }
        else if (api == Api.Bill)
        {
            bills.Answer(exchange);
        }
        else
        {
            bills.Certificates(exchange);
        }
    }

    private void WithBody(V3Exchange exchange, Api api)
    {
        try
        {
            using var json = JsonDocument.Parse(exchange.Call.Body, new JsonDocumentOptions { MaxDepth = 16 });
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                exchange.Refuse("PARAM_ERROR", "/");
            }
            else if (api == Api.Refund)
            {
                refunds.Refund(exchange, root);
            }
            else if (IsOwn(exchange, root))
            {
                if (api == Api.Pay)
                {
                    Pay(exchange, root);
                }
                else
                {
                    Reverse(exchange);
                }
            }
        }
        catch (JsonException)
        {
            exchange.Refuse("PARAM_ERROR", "body");
        }
    }

    /// <summary>Whether merchant and application in the body are those that signed.</summary>
    private static bool IsOwn(V3Exchange exchange, JsonElement root)
    {
        var (merchant, application) = exchange.IsPartner ? ("sp_mchid", "sp_appid") : ("mchid", "appid");
        if (V3Json.Text(root, merchant) != exchange.Merchant!.MchId)
        {
            exchange.Refuse("PARAM_ERROR", "/" + merchant);
            return false;
        }

        // A service provider may leave its application out; then it is the one that is bound to it.
        if (V3Json.Text(root, application) is { } appId ? !exchange.Merchant.Account.AppIds.Contains(appId) : !exchange.IsPartner)
        {
            exchange.Refuse("APPID_MCHID_NOT_MATCH");
            return false;
        }

        exchange.SubMerchant = exchange.IsPartner ? V3Json.Text(root, "sub_mchid") : null;
        return HasScope(exchange);
    }

    private static bool HasScope(V3Exchange exchange)
    {
        if (exchange.Merchant!.Scope(exchange.SubMerchant) is { } scope)
        {
            exchange.Scope = scope;
            return true;
        }

        exchange.Refuse(exchange.IsPartner ? "PARAM_ERROR" : "NO_AUTH", exchange.IsPartner ? "/sub_mchid" : "请使用服务商接口");
        return false;
    }

    private void Pay(V3Exchange exchange, JsonElement root)
    {
        if (FaultOfPayment(root) is { } fault)
        {
            exchange.Refuse(fault.Code, fault.Field);
            return;
        }

        var fen = root.GetProperty("amount"u8).GetProperty("total"u8).GetInt64();
        var number = V3Json.Text(root, "out_trade_no")!;
        var planned = exchange.Plan(faults.For(Api.Pay, Channel.WeChat, number, fen, 0));
        var payment = new Payment(new(Channel.WeChat, exchange.Scope, number), fen, CodeDigest.Of(System.Text.Encoding.UTF8.GetBytes(V3Json.Text(root.GetProperty("payer"u8), "auth_code")!)))
        {
            Subject = V3Json.Text(root, "description")!,
            Application = V3Json.Text(root, exchange.IsPartner ? "sp_appid" : "appid") ?? exchange.Merchant!.Account.AppIds[0],
            Device = V3Json.Text(root.GetProperty("scene_info"u8), "device_id"),
            Attach = V3Json.Text(root, "attach"),
            NotifyUrl = V3Json.Text(root, "notify_url") ?? exchange.Merchant!.Account.NotifyUrl,
            IsV3 = true,
        };
        var answer = bank.Pay(payment, planned);
        if (planned?.Code is { } code && answer.Outcome is not (PayOutcome.Again or PayOutcome.NumberUsed or PayOutcome.CodeUsed or PayOutcome.Full))
        {
            exchange.Refuse(code);
        }
        else if (Refusal(answer) is { } refusal)
        {
            exchange.Refuse(refusal);
        }
        else
        {
            V3Json.WriteOrder(exchange, answer.Order!);
        }
    }

    /// <summary>Null: the order's state is the answer.</summary>
    private static string? Refusal(PayAnswer answer) => answer.Outcome switch
    {
        PayOutcome.Paid or PayOutcome.Waiting => null,
        PayOutcome.Refused => "TRADE_ERROR",
        PayOutcome.Closed => "ORDER_CLOSED",
        PayOutcome.Revoked => "ORDER_REVERSED",
        PayOutcome.NumberUsed => "OUT_TRADE_NO_USED",
        PayOutcome.CodeUsed => "AUTH_CODE_ERROR",
        PayOutcome.Again => answer.Order!.State switch
        {
            OrderState.Paid => "ORDER_PAID",
            OrderState.Waiting => null,
            OrderState.Closed => "ORDER_CLOSED",
            OrderState.Revoked => "ORDER_REVERSED",
            _ => "AUTH_CODE_ERROR",
        },
        _ => "SYSTEM_ERROR",
    };

    private static (string Code, string? Field)? FaultOfPayment(JsonElement root)
    {
        var wrong = V3Json.Text(root, "description") is not { Length: <= 127 } ? "/description"
            : !WeChatBook.IsOrderNumber(V3Json.Text(root, "out_trade_no")) ? "/out_trade_no"
            : V3Json.Number(root, "amount", "total") is not (> 0 and <= MaxFen) ? "/amount/total"
            : V3Json.Object(root, "amount") is { } amount && (V3Json.Text(amount, "currency") ?? "CNY") != "CNY" ? "/amount/currency"
            : V3Json.Object(root, "payer") is not { } payer || V3Json.Text(payer, "auth_code") is null ? "/payer/auth_code"
            : V3Json.Object(root, "scene_info") is not { } scene ? "/scene_info"
            : V3Json.Object(scene, "store_info") is not { } store || (V3Json.Text(store, "id") ?? V3Json.Text(store, "out_id")) is null ? "/scene_info/store_info"
            : V3Json.Text(scene, "device_id") is { Length: > 32 } ? "/scene_info/device_id"
            : V3Json.Text(root, "attach") is { Length: > 128 } ? "/attach" : null;
        if (wrong is not null)
        {
            return ("PARAM_ERROR", wrong);
        }

        var code = V3Json.Text(root.GetProperty("payer"u8), "auth_code")!;
        return WeChatBook.IsPaymentCode(System.Text.Encoding.UTF8.GetBytes(code)) ? null : ("AUTH_CODE_INVALID", null);
    }

    private void Query(V3Exchange exchange)
    {
        var query = exchange.Call.Request.Query;
        exchange.SubMerchant = exchange.IsPartner ? query["sub_mchid"].FirstOrDefault() : null;
        var merchant = exchange.IsPartner ? "sp_mchid" : "mchid";
        if (query[merchant].FirstOrDefault() != exchange.Merchant!.MchId)
        {
            exchange.Refuse("PARAM_ERROR", merchant);
            return;
        }

        if (!HasScope(exchange) || Key(exchange) is not { } key)
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
        if (answer.Outcome == QueryOutcome.Found)
        {
            V3Json.WriteOrder(exchange, answer.Order!);
        }
        else
        {
            exchange.Refuse(answer.Outcome == QueryOutcome.NotFound ? "ORDER_NOT_EXIST" : "SYSTEM_ERROR");
        }
    }

    private void Reverse(V3Exchange exchange)
    {
        if (Key(exchange) is not { } key)
        {
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Reverse, Channel.WeChat, key.Number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
            return;
        }

        var outcome = planned is { IsDone: false } ? ReverseOutcome.Closed : bank.Reverse(key, options.ReverseAfter, TimeSpan.FromDays(7)).Outcome;
        if (outcome is ReverseOutcome.TooEarly or ReverseOutcome.TooLate or ReverseOutcome.Refunded)
        {
            exchange.Refuse("INVALID_REQUEST", outcome == ReverseOutcome.TooEarly ? "请勿扣款后立即调用撤销订单接口" : outcome == ReverseOutcome.TooLate ? "订单超过7天" : "订单已发起退款");
        }
        else if (outcome == ReverseOutcome.NotFound)
        {
            exchange.Refuse("ORDER_NOT_EXIST");
        }
        else
        {
            V3Json.WriteReversal(exchange, key.Number);
        }
    }

    /// <summary>The order of the path; null: it is none, which is answered.</summary>
    private OrderKey? Key(V3Exchange exchange)
    {
        var path = exchange.Call.Request.Path.Value.AsSpan()[(exchange.IsPartner ? Partner : Direct).Length..];
        if (path.EndsWith("/reverse"))
        {
            path = path[..^8];
        }

        if (path.StartsWith("out-trade-no/") && path[13..].ToString() is var number && WeChatBook.IsOrderNumber(number))
        {
            return new(Channel.WeChat, exchange.Scope, number);
        }

        if (path.StartsWith("id/") && path.Length == 31 && long.TryParse(path[18..], out var sequence) && bank.FindBySequence(Channel.WeChat, exchange.Scope, sequence) is { } order)
        {
            return order.Key;
        }

        exchange.Refuse("PARAM_ERROR", "out_trade_no");
        return null;
    }
}
