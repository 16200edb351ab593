using DeviceHub.Core;
using DeviceHub.Server.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.UnitTests.Hosting;

public sealed class OptionNamesTests
{
    [Theory]
    [InlineData("--nonsense=1", "nonsense is no option")]
    [InlineData("--Paymnts:MaxReversals=1", "Paymnts is no option")]
    [InlineData("--Channels:Htp:Proxy=x", "Channels:Htp is no option")]
    [InlineData("--urls=http://127.0.0.1:1", "urls is no option")]
    [InlineData("--Payments=1", "write Payments:Name")]
    [InlineData("--hostBuilder:reloadConfgOnChange=false", "hostBuilder:reloadConfgOnChange is no option")]
    public void Name_outside_of_every_section_is_named(string argument, string expected) =>
        Assert.Contains(expected, Assert.Throws<StartException>(() => Check(b => b.AddCommandLine([argument]))).Message, StringComparison.Ordinal);

    [Fact]
    public void Name_in_appsettings_outside_of_every_section_is_named()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{ "Logging": { "LogLevel": { "Default": "Debug" } }, "Payments": { "MaxReversals": 1 }, "Paymnts": { "MaxReversals": 1 } }""");
            Assert.Contains("Paymnts is no option", Assert.Throws<StartException>(() => Check(b => b.AddJsonFile(file))).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Names_of_sections_and_of_dotnet_and_of_other_programs_are_taken() => Check(b => b
        .AddCommandLine(["--payments:MaxReversals=1", "--Channels:Http:Proxy=x", "--environment=Development", "--Logging:LogLevel:Default=Debug", "--hostBuilder:reloadConfigOnChange=false"])
        .AddEnvironmentVariables().AddInMemoryCollection([KeyValuePair.Create("Paymnts", (string?)"of a test")]));

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-x=1")]
    [InlineData("start")]
    [InlineData("--Server:Urls", "http://127.0.0.1:0", "--Server:AllowPlainHttp")]
    public void Word_that_would_be_passed_over_is_named(params string[] args) =>
        Assert.Contains($"'{args[^1]}' is no option", Assert.Throws<StartException>(() => OptionNames.Check(args)).Message, StringComparison.Ordinal);

    [Fact]
    public void Options_in_each_way_of_writing_are_taken() =>
        OptionNames.Check(["--Server:Urls=http://127.0.0.1:0", "--Mqtt:Port", "0", "/Mqtt:TlsPort", "0", "Session:ResendAfterSeconds:0=7"]);

    private static void Check(Func<IConfigurationBuilder, IConfigurationBuilder> sources)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new OptionsSectionName("Payments"));
        services.AddSingleton(new OptionsSectionName("Channels:Http"));
        OptionNames.Check(sources(new ConfigurationBuilder()).Build(), services);
    }
}
