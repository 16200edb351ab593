using System.Net;
using System.Text;
using DeviceHub.Channels;
using DeviceHub.Channels.Shouqianba;
using DeviceHub.Core;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.Shouqianba;

public sealed class ShouqianbaChannelTests
{
    public static TheoryData<string, string> Rows => [.. from table in Tables from row in table.Value.Rows select (table.Key, row.Code)];

    private static Dictionary<string, VerdictTable> Tables => new()
    {
        ["pay"] = ShouqianbaCodes.Pay,
        ["query"] = ShouqianbaCodes.Query,
        ["cancel"] = ShouqianbaCodes.Cancel,
        ["refund"] = ShouqianbaCodes.Refund,
    };

    [Fact]
    public void Signature_is_the_md5_of_body_and_key()
    {
        // printf '%s' '{"terminal_sn":"1"}68d499beda5f72116592f5c527465656' | openssl md5
        Assert.Equal("6082df5f4bde6ad4773449d43e2142fb", ShouqianbaClient.Sign("""{"terminal_sn":"1"}"""u8, new SecretText("68d499beda5f72116592f5c527465656")));
    }

    [Fact]
    public async Task Payment_is_sent_as_texts_in_fen_and_signed_with_the_terminals_key()
    {
        var stub = new ShouqianbaStub(_ => ShouqianbaStub.Business("PAY_SUCCESS", "PAID", more: ",\"payer_login\":\"134****3920\",\"payment_list\":[{\"type\":\"WALLET_WEIXIN\",\"amount_total\":\"1000\"},{\"type\":\"DISCOUNT_CHANNEL_MCH\",\"amount_total\":\"234\"}]"));

        var verdict = await stub.Pay();

        Assert.Equal(new ChannelVerdict(Verdict.Approved, "PAY_SUCCESS.PAID", "paid", PaidFen: 1000, DiscountFen: 234, Transaction: "7892259488292938", Payer: "134****3920"), verdict);
        var request = Assert.Single(stub.Handler.Requests);
        Assert.Equal("http://127.0.0.1:9/upay/v2/pay", request.Address.AbsoluteUri);
        Assert.Equal(
            [
                ("terminal_sn", ShouqianbaStub.Sn), ("client_sn", ShouqianbaStub.Order), ("total_amount", "1234"), ("dynamic_id", "130818341921441147"),
                ("subject", "早餐店"), ("operator", "SN0001"), ("device_id", "ca_1"),
            ],
            ShouqianbaStub.Json(request).EnumerateObject().Select(p => (p.Name, p.Value.GetString()!)));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Each_code_proves_what_the_table_says(string call, string code)
    {
        var stub = new ShouqianbaStub(_ => AnswerOf(code));
        var verdict = await Call(stub, call);
        Assert.Equal((Tables[call].Find(code)!.Verdict, code), (verdict.Verdict, verdict.Code));
    }

    [Fact]
    public void No_table_lets_an_action_alone_prove_something_nor_a_question_reroute()
    {
        Assert.All(Tables.Values.SelectMany(t => t.Rows).Where(r => !r.Code.Contains('.', StringComparison.Ordinal) && r.Code != "REFUND_IN_PROGRESS"), r => Assert.Equal(Verdict.Unknown, r.Verdict));
        Assert.DoesNotContain(Tables.Where(t => t.Key != "pay").SelectMany(t => t.Value.Rows), r => r.Verdict is Verdict.Rerouteable or Verdict.Declined);
    }

    [Theory]
    [InlineData("PAY_SUCCESS", "CREATED", null)]
    [InlineData("PAY_SUCCESS", null, null)]
    [InlineData("PAY_FAIL", "PAY_CANCELED", "BRAND_NEW")]
    [InlineData("PAY_FAIL", "PAY_CANCELED", null)]
    [InlineData("PAY_FAIL", "PAY_ERROR", "EXPIRED_BARCODE")]
    [InlineData("PAY_FAIL", null, "SELLER_OVER_DAILY_LIMIT")]
    [InlineData("PAY_FAIL", "PAID", "INSUFFICIENT_FUND")]
    [InlineData("PAY_FAIL_ERROR", "PAY_ERROR", "INSUFFICIENT_FUND")]
    [InlineData("PAY_IN_PROGRESS", "PAID", null)]
    [InlineData("FAIL", null, "EXPIRED_BARCODE")]
    [InlineData("FAIL", null, "BRAND_NEW")]
    [InlineData("SUCCESS", "PAID", null)]
    [InlineData("", null, null)]
    public async Task What_the_three_layers_do_not_say_together_proves_nothing(string result, string? status, string? error) =>
        Assert.Equal(Verdict.Unknown, (await new ShouqianbaStub(_ => ShouqianbaStub.Business(result, status, error)).Pay()).Verdict);

    [Theory]
    [InlineData("other", "1234", "other-order")]
    [InlineData(ShouqianbaStub.Order, "1235", "other-amount")]
    [InlineData(ShouqianbaStub.Order, "12.34", "other-amount")]
    [InlineData(ShouqianbaStub.Order, "", "other-amount")]
    public async Task Answer_of_another_order_or_amount_proves_nothing(string order, string total, string code)
    {
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, code), await new ShouqianbaStub(_ => ShouqianbaStub.Business("PAY_SUCCESS", "PAID", order: order, total: total)).Pay());
        var stub = new ShouqianbaStub(_ => ShouqianbaStub.Business("SUCCESS", "PAID", order: order, total: total));
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, code), await stub.Channel.Query(stub.Reference, default));
    }

    [Fact]
    public async Task Notices_are_asked_for_when_they_would_be_believed()
    {
        var stub = new ShouqianbaStub(fields: [("noticePublicKey", "pem")]);
        await stub.Pay();
        Assert.Equal("https://hub.example.com/notify/shouqianba/ca_1", ShouqianbaStub.Json(stub.Handler.Requests[0]).GetProperty("notify_url").GetString());
    }

    [Fact]
    public async Task Payment_that_another_terminal_answers_proves_nothing() =>
        Assert.Equal("other-order", (await new ShouqianbaStub(_ => ShouqianbaStub.Business("PAY_SUCCESS", "PAID", more: ",\"terminal_sn\":\"9\"")).Pay()).Code);

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("""{"result_code":"200","biz_response":{"result_code":"PAY_SUCC""")]
    [InlineData("""{"result_code":"200"}""")]
    [InlineData("""{"result_code":"200","result_code":"400","error_code":"ILLEGAL_SIGN"}""")]
    public async Task Half_an_answer_or_none_proves_nothing(string body)
    {
        var stub = new ShouqianbaStub { Raw = _ => ScriptedHandler.Bytes(Encoding.UTF8.GetBytes(body)) };
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, "garbage"), await stub.Pay());
    }

    [Fact]
    public async Task Deep_or_huge_or_failed_answers_prove_nothing()
    {
        var stub = new ShouqianbaStub { Raw = _ => ScriptedHandler.Bytes(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 10_000))) };
        Assert.Equal("garbage", (await stub.Pay()).Code);
        stub.Raw = _ => ScriptedHandler.Bytes(new byte[2 * 1024 * 1024]);
        Assert.Equal("too-large", (await stub.Pay()).Code);
        stub.Raw = _ => ScriptedHandler.Bytes([], HttpStatusCode.BadGateway);
        Assert.Equal("http502", (await stub.Pay()).Code);
    }

    [Fact]
    public async Task Refund_has_a_number_of_twenty_signs_that_is_the_same_each_time()
    {
        var stub = new ShouqianbaStub(_ => ShouqianbaStub.Business("REFUND_SUCCESS", "PARTIAL_REFUNDED"));
        var refund = new ChannelRefund(stub.Reference, ShouqianbaStub.Order + "r1", 234);

        Assert.Equal(Verdict.Refunded, (await stub.Channel.Refund(refund, default)).Verdict);
        Assert.Equal(Verdict.Refunded, (await stub.Channel.Refund(refund, default)).Verdict);
        var numbers = stub.Handler.Requests.Select(r => ShouqianbaStub.Json(r).GetProperty("refund_request_no").GetString()!).ToList();
        Assert.Equal(20, numbers[0].Length);
        Assert.Equal(numbers[0], numbers[1]);
        Assert.NotEqual(numbers[0], ShouqianbaChannel.RequestNumber(ShouqianbaStub.Order + "r2"));
        Assert.Equal("234", ShouqianbaStub.Json(stub.Handler.Requests[0]).GetProperty("refund_amount").GetString());
    }

    [Fact]
    public async Task Order_that_was_refunded_in_full_proves_that_all_of_it_went_back()
    {
        var stub = new ShouqianbaStub(_ => ShouqianbaStub.Business("SUCCESS", "REFUNDED"));
        Assert.Equal(Verdict.Reversed, (await stub.Channel.Query(stub.Reference, default)).Verdict);
    }

    [Theory]
    [InlineData("PARTIAL_REFUNDED", "r1", 34, Verdict.Refunded)]
    [InlineData("PARTIAL_REFUNDED", "r0", 34, Verdict.NotFound)]
    [InlineData("PAID", "r0", 34, Verdict.NotFound)]
    [InlineData("REFUNDED", "r1", 34, Verdict.Refunded)]
    [InlineData("REFUNDED", "r0", 34, Verdict.NotFound)]
    [InlineData("REFUNDED", "r0", 1234, Verdict.Refunded)]
    [InlineData("CANCELED", "r0", 1234, Verdict.Refunded)]
    [InlineData("CANCELED", "r0", 34, Verdict.Unknown)]
    [InlineData("REFUND_ERROR", "r1", 34, Verdict.Unknown)]
    [InlineData("CREATED", "r0", 34, Verdict.Unknown)]
    public async Task Refund_is_found_in_the_order(string status, string last, long fen, Verdict verdict)
    {
        var stub = new ShouqianbaStub(_ => ShouqianbaStub.Business("SUCCESS", status, more: $",\"client_tsn\":\"{last}\""));
        Assert.Equal(verdict, (await stub.Channel.QueryRefund(new ChannelRefund(stub.Reference, "r1", fen), default)).Verdict);
    }

    [Theory]
    [InlineData("terminalSn")]
    [InlineData("terminalKey")]
    public async Task Account_without_a_terminal_sends_nothing_and_says_what_to_do(string field)
    {
        var stub = new ShouqianbaStub(fields: [(field, null)]);
        Assert.Null(stub.Channel.WholeFault(stub.Kept));
        var bare = new ShouqianbaStub(fields: [(field, null), ("vendorSn", null)]);
        Assert.Equal("activationCode", bare.Channel.WholeFault(bare.Kept)?.Field);
        Assert.Equal(new ChannelVerdict(Verdict.Rerouteable, "account", "the account has no terminalSn and terminalKey: activate it"), await stub.Pay());
        Assert.Equal(Verdict.Unknown, (await stub.Channel.Query(stub.Reference, default)).Verdict);
        Assert.Contains("activate it", (await stub.Channel.Test(stub.Kept, default)).Says, StringComparison.Ordinal);
        Assert.Empty(stub.Handler.Requests);
    }

    [Fact]
    public async Task Test_says_in_words_what_works_and_what_does_not()
    {
        var good = new ShouqianbaStub(_ => ShouqianbaStub.Business("FAIL", error: "UPAY_ORDER_NOT_EXISTS"));
        Assert.Equal(new AccountCheck(true, "asked Shouqianba about an order that does not exist: it knows the terminal and accepts its key"), await good.Channel.Test(good.Kept, default));

        var wrong = new ShouqianbaStub(fields: [("terminalKey", "stolen")]);
        var check = await wrong.Channel.Test(wrong.Kept, default);
        Assert.False(check.Works);
        Assert.Contains("400.ILLEGAL_SIGN, the terminal's key is not accepted", check.Says, StringComparison.Ordinal);
        Assert.DoesNotContain("stolen", check.Says, StringComparison.Ordinal);
    }

    private static Task<ChannelVerdict> Call(ShouqianbaStub stub, string call) => call switch
    {
        "pay" => stub.Pay(),
        "query" => stub.Channel.Query(stub.Reference, default),
        "cancel" => stub.Channel.Reverse(stub.Reference, default),
        _ => stub.Channel.Refund(new ChannelRefund(stub.Reference, "r1", 34), default),
    };

    /// <summary>The answer that has this code: its last part is an order's state where the action has one, and else an error.</summary>
    private static string AnswerOf(string code)
    {
        var parts = code.Split('.');
        if (char.IsAsciiDigit(parts[0][0]))
        {
            return $$"""{"result_code":"{{parts[0]}}","error_code":"{{parts.ElementAtOrDefault(1)}}","error_message":"x"}""";
        }

        return parts.Length switch
        {
            1 => ShouqianbaStub.Business(parts[0]),
            3 => ShouqianbaStub.Business(parts[0], parts[1], parts[2]),
            _ when parts[0] is "FAIL" or "PAY_FAIL" or "REFUND_FAIL" or "CANCEL_ERROR" => ShouqianbaStub.Business(parts[0], error: parts[1]),
            _ => ShouqianbaStub.Business(parts[0], parts[1]),
        };
    }
}
