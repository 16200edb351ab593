using System.Globalization;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.Shouqianba;

/// <summary>Shouqianba's upay v2: JSON, signed with MD5 over the bytes and the terminal's key, which is a new one every day.</summary>
internal sealed class ShouqianbaApi(Terminals terminals, Bank.Bank bank, FaultPlan faults, ChannelClock clock, RateLimit rates) : IDialect
{
    private const long MaxFen = 10_000_000_000;

    private readonly ShouqianbaUndo undo = new(bank, faults, clock);

    public Api? ApiOf(string path) => path switch
    {
        "/upay/v2/pay" => Api.Pay,
        "/upay/v2/query" => Api.Query,
        "/upay/v2/cancel" or "/upay/v2/revoke" => Api.Reverse,
        "/upay/v2/refund" => Api.Refund,
        "/terminal/activate" or "/terminal/checkin" => Api.Other,
        _ => null,
    };

    public void Answer(Call call, Api api)
    {
        try
        {
            using var json = JsonDocument.Parse(call.Body, new JsonDocumentOptions { MaxDepth = 16 });
            var exchange = new ShouqianbaExchange(call, json.RootElement);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                exchange.Refuse("INVALID_PARAMS");
            }
            else if (call.Request.Headers.Authorization.ToString().Split(' ') is not [var sn, var sign])
            {
                exchange.Refuse("ILLEGAL_SIGN");
            }
            else if (call.Request.Path == "/terminal/activate")
            {
                Activate(exchange, sn, sign);
            }
            else
            {
                OfTerminal(exchange, api, sn, sign);
            }
        }
        catch (JsonException)
        {
            new ShouqianbaExchange(call, default).Refuse("INVALID_PARAMS");
        }
    }

    private void Activate(ShouqianbaExchange exchange, string sn, string sign)
    {
        if (terminals.Vendor(sn) is not { } vendor || !ShouqianbaExchange.IsSigned(exchange.Call, sign, vendor.VendorKey))
        {
            exchange.Refuse("ILLEGAL_SIGN");
        }
        else if (exchange.Text("app_id") != vendor.AppId || exchange.Text("code") is not { } code || exchange.Text("device_id") is not { Length: <= 128 } device)
        {
            exchange.Refuse("INVALID_PARAMS", "app_id, code, device_id");
        }
        else if (terminals.Activate(vendor, code, device) is not { } terminal)
        {
            exchange.Refuse("INVALID_PARAMS", "激活码或设备号已被使用");
        }
        else
        {
            Key(exchange, terminal);
        }
    }

    private void OfTerminal(ShouqianbaExchange exchange, Api api, string sn, string sign)
    {
        if (terminals.Find(sn) is not { } terminal)
        {
            exchange.Refuse("INVALID_TERMINAL");
            return;
        }

        var current = ShouqianbaExchange.IsSigned(exchange.Call, sign, terminal.Key);
        if (api == Api.Other)
        {
            var before = !current && terminal.KeyBefore is { } key && ShouqianbaExchange.IsSigned(exchange.Call, sign, key);
            if ((!current && !before) || exchange.Text("terminal_sn") != sn || exchange.Text("device_id") != terminal.DeviceId)
            {
                exchange.Refuse(current || before ? "INVALID_PARAMS" : "ILLEGAL_SIGN");
                return;
            }

            Key(exchange, terminals.CheckIn(terminal, before));
        }
        else if (!current || !terminals.IsFresh(terminal))
        {
            exchange.Refuse("ILLEGAL_SIGN");
        }
        else if (exchange.Text("terminal_sn") != sn)
        {
            exchange.Refuse("INVALID_PARAMS", "terminal_sn");
        }
        else if (rates.IsOver(terminal.Vendor))
        {
            exchange.Refuse("MAINTENANCE_INPROGRESS");
        }
        else
        {
            exchange.Vendor = terminal.Vendor;
            Do(exchange, api, sn);
        }
    }

    private void Do(ShouqianbaExchange exchange, Api api, string sn)
    {
        switch (api)
        {
            case Api.Pay:
                Pay(exchange, sn);
                break;
            case Api.Query:
                undo.Query(exchange);
                break;
            case Api.Reverse:
                undo.Cancel(exchange);
                break;
            default:
                undo.Refund(exchange);
                break;
        }
    }

    private void Pay(ShouqianbaExchange exchange, string sn)
    {
        var number = exchange.Text("client_sn");
        var code = exchange.Text("dynamic_id");
        var fen = Fen(exchange.Text("total_amount"));
        var wrong = number is not { Length: <= 32 } ? "client_sn"
            : fen is <= 0 or > MaxFen ? "total_amount"
            : code is not { Length: <= 32 } ? "dynamic_id"
            : exchange.Text("subject") is not { Length: <= 64 } ? "subject"
            : exchange.Text("operator") is not { Length: <= 32 } ? "operator"
            : exchange.Text("longitude") is null != exchange.Text("latitude") is null ? "longitude, latitude"
            : exchange.Text("reflect") is { Length: > 64 } ? "reflect"
            : exchange.Text("notify_url") is { Length: > 128 } ? "notify_url" : null;
        if (wrong is not null)
        {
            exchange.Refuse("INVALID_PARAMS", wrong);
            return;
        }

        if ((exchange.Text("payway") ?? Payway(code!)) is not { } payway)
        {
            exchange.Refuse("INVALID_BARCODE", biz: "PAY_FAIL");
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Pay, Channel.Shouqianba, number!, fen, 0));
        var answer = bank.Pay(
            new(exchange.Key(number!), fen, CodeDigest.Of(System.Text.Encoding.UTF8.GetBytes(code!)))
            {
                Subject = exchange.Text("subject")!,
                Application = payway,
                Device = sn,
                Attach = exchange.Text("reflect"),
                NotifyUrl = exchange.Text("notify_url"),
            },
            planned);
        Answer(exchange, answer, planned);
    }

    private static void Answer(ShouqianbaExchange exchange, PayAnswer answer, Fault? planned)
    {
        switch (answer.Outcome)
        {
            case PayOutcome.Again or PayOutcome.NumberUsed:
                exchange.Refuse("CLIENT_SN_CONFLICT");
                break;
            case PayOutcome.CodeUsed:
                exchange.Refuse("INVALID_BARCODE", biz: "PAY_FAIL");
                break;
            case PayOutcome.Full:
                exchange.Refuse("UNKNOWN_SYSTEM_ERROR");
                break;
            case var outcome when planned?.Code is { } code:
                exchange.Refuse(code, biz: outcome is PayOutcome.Paid or PayOutcome.Waiting ? "PAY_FAIL_ERROR" : "PAY_FAIL", order: answer.Order);
                break;
            case PayOutcome.Paid:
                exchange.Business("PAY_SUCCESS", answer.Order);
                break;
            case PayOutcome.Waiting:
                exchange.Business("PAY_IN_PROGRESS", answer.Order);
                break;
            case PayOutcome.Created or PayOutcome.Nothing:
                exchange.Refuse("UNEXPECTED_PROVIDER_ERROR", biz: "PAY_FAIL_ERROR", order: answer.Order);
                break;
            default:
                exchange.Refuse("TRADE_FAILED", biz: "PAY_FAIL", order: answer.Order);
                break;
        }
    }

    private static void Key(ShouqianbaExchange exchange, ActiveTerminal terminal) => ShouqianbaExchange.Write(exchange.Call, json =>
    {
        json.WriteString("result_code"u8, "200"u8);
        json.WriteStartObject("biz_response"u8);
        json.WriteString("terminal_sn"u8, terminal.Sn);
        json.WriteString("terminal_key"u8, terminal.Key);
        json.WriteEndObject();
    });

    /// <summary>-1: not 1 to 10 digits.</summary>
    public static long Fen(string? text) => text is { Length: <= 10 } && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var fen) ? fen : -1;

    /// <summary>Null: no wallet has such a code.</summary>
    private static string? Payway(string code) =>
        !code.All(char.IsAsciiDigit) ? null
        : code.Length == 18 && code[0] == '1' && code[1] <= '5' ? "3"
        : code.Length is >= 16 and <= 24 && int.Parse(code.AsSpan(0, 2), NumberStyles.None, CultureInfo.InvariantCulture) is >= 25 and <= 30 ? "2"
        : code.Length == 19 && code.StartsWith("62", StringComparison.Ordinal) ? "17" : null;
}
