using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DeviceHub.UnitTests.Hosting;

public sealed class OptionsSectionTests
{
    [Fact]
    public void Configured_list_replaces_the_default_list()
    {
        Assert.Equal(
            [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(9)],
            Read<PaymentOptions>("Payments", ("QueryWaits:0", "00:00:01"), ("QueryWaits:1", "00:00:09")).QueryWaits);
        Assert.Equal([7], Read<SessionOptions>("Session", ("ResendAfterSeconds:0", "7")).ResendAfterSeconds);
        Assert.Equal(["hub.example"], Read<MqttOptions>("Mqtt", ("CertificateNames:0", "hub.example")).CertificateNames);
    }

    [Fact]
    public void List_that_nobody_configures_keeps_its_default() =>
        Assert.Equal(new PaymentOptions().QueryWaits, Read<PaymentOptions>("Payments", ("MaxReversals", "2")).QueryWaits);

    [Theory]
    [InlineData("Payments", "QueryWait", "00:00:01", "Payments:QueryWait is no option")]
    [InlineData("Payments", "MaxReversals", "many", "Payments:MaxReversals")]
    [InlineData("Payments", "MaxReversals", "0", "Payments:MaxReversals")]
    [InlineData("Payments", "QueryWaits:0", "soon", "Payments:QueryWaits:0")]
    [InlineData("Payments", "LateChecks:0", "-1", "Payments:LateChecks")]
    [InlineData("Payments", "PayDeadline", "1.00:00:00", "Payments:PayDeadline")]
    public void Wrong_option_is_named(string section, string option, string value, string expected)
    {
        var e = Assert.Throws<OptionsValidationException>(() => Read<PaymentOptions>(section, (option, value)));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_option_of_a_model_is_named()
    {
        var e = Assert.Throws<OptionsValidationException>(() => Read<TerminalOptions>("Terminals", ("Models:plain:Seal", "false")));
        Assert.Contains("Seal", e.Message, StringComparison.Ordinal);
        Assert.Contains("Terminals", e.Message, StringComparison.Ordinal);
    }

    private static T Read<T>(string section, params (string Option, string Value)[] configured)
        where T : class
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(configured.Select(c => KeyValuePair.Create($"{section}:{c.Option}", (string?)c.Value))).Build());
        services.AddOptionsSection<T>(section);
        services.AddSingleton<IValidateOptions<PaymentOptions>, PaymentOptionsValidator>();
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<T>>().Value;
    }
}
