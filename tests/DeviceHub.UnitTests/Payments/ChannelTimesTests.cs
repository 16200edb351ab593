using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Payments;

public sealed class ChannelTimesTests
{
    [Fact]
    public void Channel_has_what_is_configured_for_it_then_what_is_known_of_it_then_the_sections()
    {
        var options = new PaymentOptions { PayDeadline = TimeSpan.FromSeconds(7), GiveUpAfter = TimeSpan.FromDays(3) };
        options.Channels["alipay"] = new() { PendingLimit = TimeSpan.FromSeconds(33) };

        var alipay = options.For("alipay");

        Assert.Equal(TimeSpan.FromSeconds(33), alipay.PendingLimit);
        Assert.Equal(TimeSpan.FromHours(24), alipay.GiveUpAfter);
        Assert.Equal(TimeSpan.FromSeconds(7), alipay.PayDeadline);
        Assert.Equal(TimeSpan.FromDays(3), options.For("sandbox").GiveUpAfter);
    }

    [Theory]
    [InlineData("wechat-v2")]
    [InlineData("wechat-v3")]
    [InlineData("alipay")]
    [InlineData("shouqianba")]
    [InlineData("remote")]
    [InlineData("sandbox")]
    public void Defaults_are_good(string channel)
    {
        var options = new PaymentOptions();
        options.Channels[channel] = new();

        Assert.True(new PaymentOptionsValidator().Validate(null, options).Succeeded);
    }

    [Fact]
    public void Wrong_time_of_a_channel_is_named()
    {
        var options = new PaymentOptions();
        options.Channels["alipay"] = new() { PayDeadline = TimeSpan.FromMinutes(2), QueryWaits = [TimeSpan.Zero] };

        var result = new PaymentOptionsValidator().Validate(null, options);

        Assert.Contains("Payments:Channels:alipay:PayDeadline must be above 0", result.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("Payments:Channels:alipay:QueryWaits must have", result.FailureMessage, StringComparison.Ordinal);
    }
}
