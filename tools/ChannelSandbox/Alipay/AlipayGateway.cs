using System.Globalization;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>Alipay's one address: a form signed with the application's RSA key says by <c>method</c> what is wanted.</summary>
internal sealed class AlipayGateway(AlipayBook book, Bank.Bank bank, FaultPlan faults, ChannelClock clock, SandboxOptions options, RateLimit rates) : IDialect
{
    private readonly AlipayTrades trades = new(bank, faults);
    private readonly AlipayRefunds refunds = new(bank, faults);
    private readonly AlipayBill bills = new(bank, clock, options);

    public Api? ApiOf(string path) => path is "/gateway.do" or AlipayBill.Path ? Api.Other : null;

    public void Answer(Call call, Api api)
    {
        if (call.Request.Path == AlipayBill.Path)
        {
            bills.Send(call);
            return;
        }

        var form = AlipayForm.Parse(call.Request.QueryString.Value, call.Body.Span);
        var method = form?["method"];
        var exchange = new AlipayExchange(call, form ?? AlipayForm.Parse("", default)!, method is null ? "error_response" : method.Replace('.', '_') + "_response", book.Key);
        if (form is null || method is null)
        {
            exchange.Refuse("isv.missing-method");
        }
        else if (book.Find(form["app_id"]) is not var (application, key))
        {
            exchange.Refuse("isv.invalid-app-id");
        }
        else if (form["sign_type"] != "RSA2" || form["sign"] is not { } sign || !key.Verifies(form.Signed(), sign))
        {
            exchange.Refuse("isv.invalid-signature", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配");
        }
        else if (!DateTime.TryParseExact(form["timestamp"], "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) || form["version"] != "1.0")
        {
            exchange.Refuse("isv.invalid-timestamp");
        }
        else if (form["app_auth_token"] is { } token && !application.Authorizations.ContainsKey(token))
        {
            exchange.Refuse("aop.invalid-app-auth-token");
        }
        else
        {
            exchange.Seller = form["app_auth_token"] is { } authorized ? application.Authorizations[authorized] : application.SellerId;
            Do(exchange, method);
        }

        exchange.Seal();
    }

    private void Do(AlipayExchange exchange, string method)
    {
        if (rates.IsOver(exchange.AppId))
        {
            exchange.Refuse("isv.app-call-limited");
            return;
        }

        try
        {
            using var content = JsonDocument.Parse(exchange.Form["biz_content"] ?? "{}", new JsonDocumentOptions { MaxDepth = 16 });
            exchange.Content = content.RootElement;
            switch (method)
            {
                case "alipay.trade.pay":
                    trades.Pay(exchange);
                    break;
                case "alipay.trade.query":
                    trades.Query(exchange);
                    break;
                case "alipay.trade.cancel":
                    trades.Cancel(exchange);
                    break;
                case "alipay.trade.refund":
                    refunds.Refund(exchange);
                    break;
                case "alipay.trade.fastpay.refund.query":
                    refunds.Query(exchange);
                    break;
                case "alipay.data.dataservice.bill.downloadurl.query":
                    bills.Announce(exchange);
                    break;
                default:
                    exchange.Refuse("isv.invalid-method");
                    break;
            }
        }
        catch (JsonException)
        {
            exchange.Refuse("isv.invalid-parameter", "biz_content");
        }
    }
}
