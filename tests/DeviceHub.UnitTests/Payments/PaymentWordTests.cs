using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Payments;

public sealed class PaymentWordTests
{
    [Theory]
    [InlineData("12.34", 1234)]
    [InlineData("¥12.34", 1234)]
    [InlineData("￥12.34", 1234)]
    [InlineData("¥ 12", 1200)]
    [InlineData("¥0.5", 50)]
    [InlineData("1,234.50", 123450)]
    [InlineData("CNY 7", 700)]
    [InlineData("12元", 1200)]
    [InlineData("12.3 元", 1230)]
    [InlineData("１２．３４", 1234)]
    public void Amount_is_read_with_a_sign_a_unit_or_two_decimals(string text, long fen)
    {
        var word = PaymentWord.Parse(text)!;
        Assert.Equal((fen, null, null), (word.AmountFen!.Value, word.Number, word.Payment));
    }

    [Theory]
    [InlineData("12")]
    [InlineData("12.3")]
    [InlineData("12.345")]
    [InlineData("¥")]
    [InlineData("-12.34")]
    [InlineData("A-12.34")]
    public void What_could_be_a_number_of_something_is_no_amount(string text) => Assert.Equal((null, text), (PaymentWord.Parse(text)!.AmountFen, PaymentWord.Parse(text)!.Number));

    [Theory]
    [InlineData("MY-0001/AAECAwQFBgcI-1")]
    [InlineData("payments/MY-0001/AAECAwQFBgcI-1")]
    [InlineData("  /payments/MY-0001/AAECAwQFBgcI-1\r\n")]
    public void Payments_own_id_is_read_also_as_the_path_of_its_page(string text) =>
        Assert.Equal(new PaymentId("MY-0001", "AAECAwQFBgcI-1"), PaymentWord.Parse(text)!.Payment);

    [Fact]
    public void Refunds_number_names_its_attempts()
    {
        var order = PaymentDecisions.ChannelOrderNumber(new("T1", "request-1"), 1, new DateTimeOffset(2026, 11, 26, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(order, PaymentWord.Parse(order + "r2")!.ChannelOrderNumber);
        Assert.Null(PaymentWord.Parse(order)!.ChannelOrderNumber);
    }

    [Fact]
    public void Four_digits_may_be_a_codes_last_and_eight_signs_a_request_id()
    {
        Assert.Equal(("1234", false), (PaymentWord.Parse("1234")!.LastFour, PaymentWord.Parse("1234")!.IsRequestId));
        Assert.Equal((null, true), (PaymentWord.Parse("AAECAwQFBgcI-1")!.LastFour, PaymentWord.Parse("AAECAwQFBgcI-1")!.IsRequestId));
        Assert.Null(PaymentWord.Parse("12a4")!.LastFour);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("  \n")]
    public void Nothing_is_nothing(string? text) => Assert.Null(PaymentWord.Parse(text));

    [Fact]
    public void What_is_longer_than_any_number_is_nothing() => Assert.Null(PaymentWord.Parse(new string('7', PaymentWord.MaxLength + 1)));

    [Theory]
    [InlineData("1795507200000.17")]
    [InlineData("0.0")]
    public void Position_is_read_as_it_is_written(string text)
    {
        Assert.True(PaymentPosition.TryParse(text, out var position));
        Assert.Equal(text, position.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("17")]
    [InlineData("1.2.3")]
    [InlineData("-1.2")]
    [InlineData("999999999999999999.1")]
    [InlineData("1795507200000.9999999999999999999")]
    public void Position_that_is_none_is_refused(string? text) => Assert.False(PaymentPosition.TryParse(text, out _));
}
