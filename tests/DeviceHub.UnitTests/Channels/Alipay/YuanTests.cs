using CsCheck;
using DeviceHub.Channels.Alipay;

namespace DeviceHub.UnitTests.Channels.Alipay;

public sealed class YuanTests
{
    [Fact]
    public void Every_amount_is_read_as_it_was_written() =>
        Gen.Long[0, 99_999_999_999_999].Sample(fen =>
        {
            Assert.True(Yuan.TryRead(Yuan.Write(fen), out var read));
            Assert.Equal(fen, read);
            Assert.True(Yuan.TryReadSigned("-" + Yuan.Write(fen), out var owed));
            Assert.Equal(-fen, owed);
        });

    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.01", 1)]
    [InlineData("0.1", 10)]
    [InlineData("8", 800)]
    [InlineData("88.88", 8888)]
    [InlineData("999999999999.99", 99_999_999_999_999)]
    public void Amounts_of_answers_are_read(string text, long fen)
    {
        Assert.True(Yuan.TryRead(text, out var read));
        Assert.Equal(fen, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("01")]
    [InlineData("1.234")]
    [InlineData("1,000.00")]
    [InlineData("1e2")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("１")]
    [InlineData("1.2.3")]
    [InlineData("1.-2")]
    [InlineData("1000000000000")]
    public void Nothing_else_is_an_amount(string text) => Assert.False(Yuan.TryRead(text, out _));
}
