using System.Globalization;
using System.Text.Json;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>
/// An answer of Shouqianba. Its documents sign requests and say nothing of signatures on answers: what vouches for an answer is TLS, and what can be
/// compared is compared, the terminal, our order number and the amount.
/// </summary>
internal sealed class ShouqianbaAnswer
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    private string status = "";

    private ShouqianbaAnswer()
    {
    }

    /// <summary>All layers in one: see <see cref="ShouqianbaCodes"/>.</summary>
    public string Code { get; private set; } = "";

    /// <summary>The action alone: the part of <see cref="Code"/> before the first dot.</summary>
    public string Action { get; private set; } = "";

    public string? Error { get; private set; }

    public string? TerminalSn { get; private set; }

    public string? TerminalKey { get; private set; }

    /// <summary>Ours.</summary>
    public string? ClientSn { get; private set; }

    /// <summary>Of the last thing that was done to the order: of a refund, the number that we gave it.</summary>
    public string? ClientTsn { get; private set; }

    /// <summary>Shouqianba's own number of the order, which is on receipts.</summary>
    public string? Sn { get; private set; }

    public string? Payer { get; private set; }

    public string OrderStatus { get; private set; } = "";

    /// <summary>Of the last thing that was done to the order.</summary>
    public bool LastSucceeded => status == "SUCCESS";

    public long? TotalFen { get; private set; }

    public long DiscountFen { get; private set; }

    /// <summary>Null: it is not what Shouqianba answers.</summary>
    public static ShouqianbaAnswer? TryRead(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body, Strict);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "result_code") is not { Length: > 0 } transport)
            {
                return null;
            }

            if (transport != "200")
            {
                var error = Text(root, "error_code");
                return new ShouqianbaAnswer { Code = string.IsNullOrEmpty(error) ? transport : $"{transport}.{error}", Action = transport, Error = error };
            }

            return root.TryGetProperty("biz_response", out var business) && business.ValueKind == JsonValueKind.Object ? Read(business) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>What a notice says of an order: the same fields as in an answer, without what is around them.</summary>
    public static ShouqianbaAnswer? TryReadNotice(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body, Strict);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            var notice = new ShouqianbaAnswer { Action = "SUCCESS" };
            notice.ReadOrder(json.RootElement);
            notice.Code = $"SUCCESS.{notice.OrderStatus}";
            return notice;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static ShouqianbaAnswer Read(JsonElement business)
    {
        var answer = new ShouqianbaAnswer
        {
            Action = Text(business, "result_code") ?? "",
            Error = Text(business, "error_code"),
            TerminalSn = Text(business, "terminal_sn"),
            TerminalKey = Text(business, "terminal_key"),
        };
        if (business.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object)
        {
            answer.ReadOrder(data);
        }

        answer.Code = string.Join('.', (answer.Action switch
        {
            "SUCCESS" or "PAY_IN_PROGRESS" => [answer.Action, answer.OrderStatus],
            "PAY_FAIL" => [answer.Action, answer.OrderStatus, answer.Error],
            var action when action.EndsWith("_SUCCESS", StringComparison.Ordinal) => [action, answer.OrderStatus],
            var action => new[] { action, answer.Error },
        }).Where(part => !string.IsNullOrEmpty(part)));
        return answer;
    }

    private void ReadOrder(JsonElement data)
    {
        TerminalSn ??= Text(data, "terminal_sn");
        ClientSn = Text(data, "client_sn");
        ClientTsn = Text(data, "client_tsn");
        Sn = Text(data, "sn");
        status = Text(data, "status") ?? "";
        OrderStatus = Text(data, "order_status") ?? "";
        TotalFen = Fen(data, "total_amount");

        // WeChat's is a whole user id; only what is masked is for receipts.
        Payer = Text(data, "payer_login") is { } login && login.Contains('*', StringComparison.Ordinal) ? login : null;
        DiscountFen = Discount(data);
    }

    private static long Discount(JsonElement data)
    {
        var discount = 0L;
        if (data.TryGetProperty("payment_list", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var part in list.EnumerateArray())
            {
                if (part.ValueKind == JsonValueKind.Object && Fen(part, "amount_total") is { } fen && Text(part, "type") is { } type
                    && (type.StartsWith("DISCOUNT_", StringComparison.Ordinal) || type.StartsWith("HONGBAO_", StringComparison.Ordinal)))
                {
                    discount += fen;
                }
            }
        }

        return discount;
    }

    /// <summary>All values are texts, they say; a number is read like one.</summary>
    private static string? Text(JsonElement parent, string name) => parent.TryGetProperty(name, out var value)
        ? value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        }
        : null;

    private static long? Fen(JsonElement parent, string name) =>
        Text(parent, name) is { Length: > 0 and <= 10 } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var fen) ? fen : null;
}
