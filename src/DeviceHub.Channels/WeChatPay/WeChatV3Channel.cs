using System.Text.Json;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>WeChat Pay version 3: payment codes over JSON (<c>codepay</c>), direct and as a partner.</summary>
internal sealed class WeChatV3Channel(WeChatV3Client client, NoticeAddress notices, IOptions<WeChatPayOptions> options, TimeProvider clock) : IPaymentChannel
{
    internal const string ChannelName = "wechat-v3";

    public string Name => ChannelName;

    public IReadOnlyList<AccountField> AccountFields => WeChatFields.V3;

    public string? FieldFault(string field, string value) => client.FieldFault(field, value);

    public (string Field, string Says)? WholeFault(ChannelAccount account) => WeChatFields.WholeFault(() => WeChatV3Keys.Of(account));

    public IReadOnlyList<Wallet> Wallets => [Wallet.WeChat];

    /// <summary>
    /// <c>codepay</c> has no time after which the order may not be paid any more, and needs none: it is charged within the life of the payment
    /// code, for which the core waits before "not found" counts.
    /// </summary>
    public Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken)
    {
        var order = payment.Reference;
        return client.Call(
            EffectKind.Pay, order.Account, keys => Transactions(keys, "codepay"), Write, WeChatCodes.PayV3, WeChatV3Json.Default.WeChatV3Order, o => o.Code,
            (keys, o) => Read(order, EffectKind.Pay, keys, o), cancellationToken);

        byte[] Write(WeChatV3Keys keys) => WeChatV3Client.Body(json =>
        {
            WriteMerchant(json, keys);
            json.WriteString("description", WeChatText.Subject(payment.Subject));
            json.WriteString("out_trade_no", order.OrderNumber);
            json.WriteStartObject("payer");
            json.WriteString("auth_code", payment.Code.Reveal());
            json.WriteEndObject();
            json.WriteStartObject("amount");
            json.WriteNumber("total", order.AmountFen);
            json.WriteString("currency", "CNY");
            json.WriteEndObject();
            json.WriteStartObject("scene_info");
            json.WriteString("device_id", payment.SerialNumber);
            json.WriteString("device_ip", options.Value.ClientIp);
            json.WriteStartObject("store_info");
            json.WriteString("out_id", keys.StoreCode ?? payment.SerialNumber);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    public Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) => client.Call(
        EffectKind.Query, reference.Account,
        keys => $"{Transactions(keys, "out-trade-no/")}{reference.OrderNumber}?{(keys.SubMerchantNumber is { } sub ? $"sp_mchid={keys.MerchantNumber}&sub_mchid={sub}" : $"mchid={keys.MerchantNumber}")}",
        body: null, WeChatCodes.OrderV3, WeChatV3Json.Default.WeChatV3Order, o => o.Code, (keys, o) => Read(reference, EffectKind.Query, keys, o), cancellationToken);

    /// <summary>An answer, and no proof: it does not say which of "closed" and "paid back" it was.</summary>
    public Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) => client.Call(
        EffectKind.Reverse, reference.Account, keys => $"{Transactions(keys, "out-trade-no/")}{reference.OrderNumber}/reverse",
        keys => WeChatV3Client.Body(json => WriteMerchant(json, keys)), WeChatCodes.OrderV3, WeChatV3Json.Default.WeChatV3Order, o => o.Code,
        (keys, o) => IsOther(o.OutTradeNo, reference.OrderNumber) || IsOtherMerchant(keys, o.Mchid, o.SpMchid, o.SubMchid)
            ? client.Alarms.WrongAnswer(reference.Account, EffectKind.Reverse, "other-order")
            : new ChannelVerdict(Verdict.Reversed, "SUCCESS", "answered"),
        cancellationToken);

    public Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var order = refund.Reference;
        return client.Call(
            EffectKind.Refund, order.Account, _ => "/v3/refund/domestic/refunds", Write, WeChatCodes.RefundV3, WeChatV3Json.Default.WeChatV3Refund, r => r.Code,
            (_, r) => Read(refund, EffectKind.Refund, r), cancellationToken);

        byte[] Write(WeChatV3Keys keys) => WeChatV3Client.Body(json =>
        {
            if (keys.SubMerchantNumber is { } sub)
            {
                json.WriteString("sub_mchid", sub);
            }

            json.WriteString("out_trade_no", order.OrderNumber);
            json.WriteString("out_refund_no", refund.RefundNumber);
            if (notices.Of(order.Account) is { } url)
            {
                json.WriteString("notify_url", url);
            }

            json.WriteStartObject("amount");
            json.WriteNumber("refund", refund.RefundFen);
            json.WriteNumber("total", order.AmountFen);
            json.WriteString("currency", "CNY");
            json.WriteEndObject();
        });
    }

    public Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken) => client.Call(
        EffectKind.QueryRefund, refund.Reference.Account,
        keys => $"/v3/refund/domestic/refunds/{refund.RefundNumber}{(keys.SubMerchantNumber is { } sub ? $"?sub_mchid={sub}" : "")}",
        body: null, WeChatCodes.RefundV3, WeChatV3Json.Default.WeChatV3Refund, r => r.Code, (_, r) => Read(refund, EffectKind.QueryRefund, r), cancellationToken);

    public async Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.Value.TestDeadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var verdict = await Query(WeChatTest.NoSuchOrder(account), either.Token);
            const string WrongKey = "the private key, the serial number of the API certificate, the merchant number, WeChat Pay's public key or the hub's clock is wrong";
            return WeChatTest.Says(account, options.Value, verdict, WrongKey, () => new AccountCheck(
                true, "asked for an order that does not exist, and WeChat Pay signed that it does not; the API key is used for the first time by a notice"));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return WeChatTest.NoAnswer(account, options.Value);
        }
    }

    /// <summary>An order that was answered or told of: ours, over our amount, or it proves nothing.</summary>
    private ChannelVerdict Read(ChannelReference order, EffectKind call, WeChatV3Keys keys, WeChatV3Order o)
    {
        if (IsOtherMerchant(keys, o.Mchid, o.SpMchid, o.SubMchid))
        {
            return client.Alarms.WrongAnswer(order.Account, call, "other-merchant");
        }

        if (o.OutTradeNo != order.OrderNumber)
        {
            return client.Alarms.WrongAnswer(order.Account, call, "other-order");
        }

        if (o.TradeState is not { } state)
        {
            return client.Alarms.WrongAnswer(order.Account, call, "garbage");
        }

        if (state != "SUCCESS")
        {
            var verdict = client.Alarms.Judge(order.Account, call, WeChatCodes.TradeState, state) with { Transaction = o.TransactionId };

            // What a state of a fresh order proves about the payment itself is the query's to say.
            return call == EffectKind.Pay && verdict.Verdict is not Verdict.Pending ? verdict with { Verdict = Verdict.Unknown } : verdict;
        }

        var paid = o.Amount?.PayerTotal ?? o.Amount?.Total;
        return o.TransactionId is not { Length: > 0 } transaction || o.Amount?.Currency is not (null or "CNY") ? client.Alarms.WrongAnswer(order.Account, call, "garbage")
            : o.Amount?.Total != order.AmountFen || paid < 0 || paid > order.AmountFen ? client.Alarms.WrongAnswer(order.Account, call, "other-amount")
            : new ChannelVerdict(
                Verdict.Approved, "SUCCESS", PaidFen: paid!.Value, DiscountFen: order.AmountFen - paid.Value, Transaction: transaction,
                Payer: WeChatText.Payer(o.Payer?.Openid ?? o.Payer?.SpOpenid));
    }

    private ChannelVerdict Read(ChannelRefund refund, EffectKind call, WeChatV3Refund r)
    {
        var account = refund.Reference.Account;
        return IsOther(r.OutTradeNo, refund.Reference.OrderNumber) || r.OutRefundNo != refund.RefundNumber ? client.Alarms.WrongAnswer(account, call, "other-refund")
            : r.Amount?.Refund != refund.RefundFen ? client.Alarms.WrongAnswer(account, call, "other-amount")
            : r.Status is not { } status ? client.Alarms.WrongAnswer(account, call, "garbage")
            : client.Alarms.Judge(account, call, WeChatCodes.RefundState, status) with { Transaction = r.RefundId };
    }

    private static string Transactions(WeChatV3Keys keys, string what) => keys.SubMerchantNumber is null ? $"/v3/pay/transactions/{what}" : $"/v3/pay/partner/transactions/{what}";

    private static void WriteMerchant(Utf8JsonWriter json, WeChatV3Keys keys)
    {
        if (keys.SubMerchantNumber is not { } sub)
        {
            json.WriteString("appid", keys.ApplicationId);
            json.WriteString("mchid", keys.MerchantNumber);
            return;
        }

        json.WriteString("sp_appid", keys.ApplicationId);
        json.WriteString("sp_mchid", keys.MerchantNumber);
        if (keys.SubApplicationId is { } subApplication)
        {
            json.WriteString("sub_appid", subApplication);
        }

        json.WriteString("sub_mchid", sub);
    }

    private static bool IsOtherMerchant(WeChatV3Keys keys, string? mchid, string? spMchid, string? subMchid) =>
        keys.SubMerchantNumber is null ? IsOther(mchid, keys.MerchantNumber) : IsOther(spMchid, keys.MerchantNumber) || IsOther(subMchid, keys.SubMerchantNumber);

    private static bool IsOther(string? answered, string asked) => answered is not null && answered != asked;
}
