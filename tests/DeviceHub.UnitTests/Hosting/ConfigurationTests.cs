using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using DeviceHub.Channels.Alipay;
using DeviceHub.Channels.Http;
using DeviceHub.Channels.Remote;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Channels.Shouqianba;
using DeviceHub.Channels.WeChatPay;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Routing;
using DeviceHub.Core.Terminals;
using DeviceHub.Dashboard;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Gateways.Serial;
using DeviceHub.Server.Hosting;
using DeviceHub.Server.People;
using DeviceHub.Server.Webhooks;
using DeviceHub.Storage;
using DeviceHub.UnitTests.Tidy;

namespace DeviceHub.UnitTests.Hosting;

/// <summary>src/CONFIGURATION.md says of every option what the code says.</summary>
public sealed class ConfigurationTests
{
    private static readonly object[] Sections =
        [new ServerOptions(), new PeopleOptions(), new DashboardOptions(), new StorageOptions(), new MqttOptions(), new SerialOptions(), new SessionOptions(), new TerminalOptions(), new PaymentOptions(), new ReconciliationOptions(), new RoutingOptions(),
         new SandboxOptions(), new ChannelHttpOptions(), new AlipayOptions(), new ShouqianbaOptions(),
         new WeChatPayOptions(), new RemoteOptions(), new ChargeOptions(), new WebhookOptions()];

    private static readonly Dictionary<string, Row> Described = Read();

    [Fact]
    public void Every_class_of_options_is_looked_at()
    {
        var declared = Sources.All.Where(f => f.Path.StartsWith("src/", StringComparison.Ordinal) && f.Path.EndsWith("Options.cs", StringComparison.Ordinal))
            .Select(f => Path.GetFileNameWithoutExtension(f.Path)).Order(StringComparer.Ordinal);
        Assert.Equal(Sections.Select(s => s.GetType().Name).Order(StringComparer.Ordinal), declared);
    }

    [Fact]
    public void Every_option_is_described_and_nothing_else_is() =>
        Assert.Equal(Options().Select(o => o.Name).Order(StringComparer.Ordinal), Described.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Every_default_is_the_codes()
    {
        foreach (var (name, property, section) in Options())
        {
            Assert.True(Described.TryGetValue(name, out var row), name);
            Assert.Equal((name, Say(property.GetValue(section))), (name, row.Default));
        }
    }

    [Fact]
    public void Every_range_is_the_codes()
    {
        foreach (var (name, property, _) in Options())
        {
            if (property.GetCustomAttribute<RangeAttribute>() is { } range)
            {
                Assert.Equal((name, $"{Say(range.Minimum)} to {Say(range.Maximum)}"), (name, Described[name].Range));
            }

            Assert.NotEqual((name, ""), (name, Described[name].Range));
            Assert.NotEqual((name, ""), (name, Described[name].Meaning));
        }
    }

    [Fact]
    public void Every_channels_own_times_are_the_codes()
    {
        var said = ChannelTimeOverrides.Known.Select(c => $"| {c.Key} | {string.Join(", ", Settable(c.Value)
            .Where(p => p.GetValue(c.Value) is not null).Select(p => $"{p.Name} {Say(p.GetValue(c.Value))}"))} |");
        var lines = File.ReadAllLines(Path.Combine(Sources.Root, "src", "CONFIGURATION.md"));
        Assert.All(said, line => Assert.Contains(line, lines));
    }

    private static IEnumerable<(string Name, PropertyInfo Property, object Section)> Options()
    {
        foreach (var section in Sections)
        {
            var name = (string)section.GetType().GetField("Section")!.GetRawConstantValue()!;
            foreach (var property in Settable(section))
            {
                if (property.PropertyType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Dictionary<,>))
                {
                    var named = Activator.CreateInstance(type.GetGenericArguments()[1])!;
                    foreach (var inner in Settable(named))
                    {
                        yield return ($"{name}:{property.Name}:NAME:{inner.Name}", inner, named);
                    }
                }
                else
                {
                    yield return ($"{name}:{property.Name}", property, section);
                }
            }
        }
    }

    private static IEnumerable<PropertyInfo> Settable(object section) => section.GetType().GetProperties().Where(p => p.CanWrite);

    private static string Say(object? value) => value switch
    {
        null or "" => "none",
        bool flag => flag ? "true" : "false",
        TimeSpan time => time.ToString("c", CultureInfo.InvariantCulture) is var text && text.Contains('.', StringComparison.Ordinal) && time.Ticks % TimeSpan.TicksPerSecond != 0 ? text.TrimEnd('0') : text,
        string text => text,
        IEnumerable list => string.Join(", ", list.Cast<object>().Select(Say)),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static Dictionary<string, Row> Read() =>
        File.ReadAllLines(Path.Combine(Sources.Root, "src", "CONFIGURATION.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Trim('|', ' ').Split(" | ", 4))
            .ToDictionary(cells => cells[0].Trim('`'), cells => new Row(cells[1], cells[2], cells[3]), StringComparer.Ordinal);

    private sealed record Row(string Default, string Range, string Meaning);
}
