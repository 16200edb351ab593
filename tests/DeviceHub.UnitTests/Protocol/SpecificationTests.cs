using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>What firmware-protocol/README.md promises in numbers and names, held against the code.</summary>
public sealed partial class SpecificationTests
{
    private static readonly string Specification = File.ReadAllText(Path.Combine(Vectors.Folder, "README.md"));

    private static readonly Dictionary<string, object> Options = new(StringComparer.Ordinal)
    {
        ["Mqtt"] = new MqttOptions(), ["Session"] = new SessionOptions(), ["Terminals"] = new TerminalOptions(), ["Payments"] = new PaymentOptions(),
        ["Charges"] = new ChargeOptions(),
    };

    [Fact]
    public void Every_limit_is_the_default_of_the_option_that_is_named_beside_it()
    {
        var rows = Section("## Limits").Where(l => l.StartsWith("| ", StringComparison.Ordinal) && l.Contains('`', StringComparison.Ordinal)).ToArray();
        Assert.True(rows.Length >= 20, $"only {rows.Length} rows");
        foreach (var row in rows)
        {
            var cells = row.Split('|');
            var numbers = Number().Matches(cells[2]).Select(m => m.Value.Replace(",", "", StringComparison.Ordinal)).ToList();
            foreach (Match option in OptionName().Matches(cells[3]))
            {
                foreach (var value in Defaults(option.Groups[1].Value, option.Groups[2].Value))
                {
                    Assert.True(numbers.Remove(value), $"{option.Value} is {value} by default; the row says: {row}");
                }
            }

            Assert.True(numbers.Count == 0, $"no option holds {string.Join(' ', numbers)} of the row: {row}");
        }
    }

    [Fact]
    public void Every_refusal_code_text_and_enum_value_of_a_payment_is_explained()
    {
        foreach (var code in Refusal.Descriptor.EnumTypes[0].Values.Where(v => v.Number != 0))
        {
            Assert.Contains($"| {code.Name["CODE_".Length..]} |", Specification, StringComparison.Ordinal);
        }

        var texts = File.ReadAllText(Path.Combine(Vectors.Folder, "..", "src", "DeviceHub.Gateways", "Texts", "Cashier.resx"));
        foreach (Match id in TextId().Matches(texts))
        {
            Assert.Contains($"`{id.Groups[1].Value}`", Specification, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_line_to_copy_is_a_message_once_its_blanks_are_filled()
    {
        var lines = Section("## Try it with a public client").SkipWhile(l => l != "```json").Skip(1).TakeWhile(l => l != "```").ToList();
        var bodies = lines.Select(line =>
        {
            line = line.Replace("EPOCH", "AAECAwQFBgcI", StringComparison.Ordinal).Replace("CHARGE", "AAECAwQFBgcI-9", StringComparison.Ordinal)
                .Replace("HASH", Convert.ToBase64String(new byte[32]), StringComparison.Ordinal);
            var error = MessageCodec.TryDecode(Encoding.UTF8.GetBytes(line), out Uplink? message, out _);
            Assert.True(error.Ok, $"{error.Detail}: {line}");
            return message!.BodyCase;
        });
        Assert.Equal(9, bodies.Distinct().Count());
    }

    [Fact]
    public void Every_reason_that_the_endpoint_gives_is_explained()
    {
        var gateways = Path.Combine(Vectors.Folder, "..", "src", "DeviceHub.Gateways");
        var given = Directory.GetFiles(Path.Combine(gateways, "Mqtt"), "MqttConnection*.cs").Append(Path.Combine(gateways, "CutReasons.cs"))
            .SelectMany(file => Reason().Matches(File.ReadAllText(file))).Select(m => m.Value).Distinct().ToList();
        Assert.True(given.Count > 20, $"only {given.Count} reasons");
        var explained = string.Join('\n', Section("## Transport"));
        Assert.All(given, reason => Assert.Contains(reason, explained, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(60, WireEncoding.Protobuf), InlineData(120, WireEncoding.Protobuf), InlineData(90, WireEncoding.Json), InlineData(120, WireEncoding.Json)]
    public void An_idle_terminal_moves_at_most_10_MB_a_month_with_TLS_and_the_figure_is_the_one_written(int keepAliveSeconds, WireEncoding encoding)
    {
        var bytes = IdleMonth(keepAliveSeconds, encoding);
        var row = $"| {keepAliveSeconds} s | {(encoding == WireEncoding.Json ? "JSON" : "protobuf")} | {(bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture)} MB |";
        Assert.True(bytes <= 10_000_000, row);
        Assert.True(Specification.Contains(row, StringComparison.Ordinal), "README.md must say: " + row);
    }

    [Fact]
    public void JSON_at_a_keep_alive_of_60_s_is_not_recommended_since_it_moves_more_than_10_MB()
    {
        var bytes = IdleMonth(60, WireEncoding.Json);
        var row = $"| 60 s | JSON | {(bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture)} MB: too much, not recommended |";
        Assert.True(bytes > 10_000_000, row);
        Assert.True(Specification.Contains(row, StringComparison.Ordinal), "README.md must say: " + row);
    }

    /// <summary>Sent and received bytes at the IP layer in 31 days, under the assumptions of README.md, "Idle traffic".</summary>
    private static long IdleMonth(int keepAliveSeconds, WireEncoding encoding)
    {
        const int TcpIp = 40;
        const int TlsRecord = 29;
        const int ReconnectsADay = 1;
        const int Handshake = 4_500;
        const int Days = 31;
        const int HeartbeatSeconds = 300;
        var topic = Names.UpTopic(Vectors.SerialNumber);
        var down = Names.DownTopic(Vectors.SerialNumber);
        var ping = Segment(2) + Segment(PacketBytes.PingResp.Length) + TcpIp;
        var beat = Acknowledged(topic, GoldenMessages.Up().Single(m => m.Name == "heartbeat_of_an_idle_terminal").Message);

        // CONNECT, CONNACK, SUBSCRIBE, SUBACK, then what the login says, and the first heartbeat, which is the long one.
        var login = Segment(14 + Vectors.SerialNumber.Length) + Segment(4) + Segment(7 + down.Length) + Segment(5)
            + new[] { "hello", "proof", "heartbeat" }.Sum(n => Acknowledged(topic, GoldenMessages.Up().Single(m => m.Name == n).Message))
            + new[] { "challenge", "welcome", "synced" }.Sum(n => Acknowledged(down, GoldenMessages.Down().Single(m => m.Name == n).Message));
        var beats = Days * 86_400 / HeartbeatSeconds;
        var pings = (HeartbeatSeconds - 1) / keepAliveSeconds;
        return (beats * ((pings * (long)ping) + beat)) + (Days * ReconnectsADay * (Handshake + login));

        int Segment(int mqtt) => mqtt + TlsRecord + TcpIp;

        int Acknowledged(string to, Google.Protobuf.IMessage message)
        {
            var payload = MessageCodec.Encode(message, encoding);
            return Segment(PacketBytes.PublishLength(to.Length, payload.Length, v5: false, acknowledged: true)) + Segment(4) + TcpIp;
        }
    }

    private static IEnumerable<string> Defaults(string section, string name)
    {
        var options = Options[section];
        var property = options.GetType().GetProperty(name) ?? throw new InvalidOperationException($"{section}:{name} is no option");
        return property.GetValue(options) switch
        {
            int[] list => list.Select(n => n.ToString(CultureInfo.InvariantCulture)),
            TimeSpan time => [time.TotalSeconds.ToString(CultureInfo.InvariantCulture)],
            IFormattable number => [number.ToString(null, CultureInfo.InvariantCulture)],
            var other => throw new InvalidOperationException($"{section}:{name} is {other}"),
        };
    }

    private static IEnumerable<string> Section(string heading) => Specification.Split('\n').SkipWhile(l => l != heading).Skip(1)
        .TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal));

    [GeneratedRegex(@"\d[\d,]*(?:\.\d+)?")]
    private static partial Regex Number();

    [GeneratedRegex("`(\\w+):(\\w+)`")]
    private static partial Regex OptionName();

    /// <summary>Reason codes of MQTT 5.0, from 0x81 to the last.</summary>
    [GeneratedRegex("0x(8[1-9A-F]|9[0-9A-F]|A[0-2])\\b")]
    private static partial Regex Reason();

    [GeneratedRegex("<data name=\"(\\w+)\"")]
    private static partial Regex TextId();
}
