using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceHub.Protocol.Wire;
using Google.Protobuf.Reflection;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>firmware-protocol/asyncapi.yaml as terminal.proto says it: every message, field, number, limit and value.</summary>
internal static partial class AsyncApi
{
    private const string Head = """
        # Made of terminal.proto by DeviceHub.UnitTests (AsyncApiTests); README.md is the specification. Do not edit: set DEVICEHUB_WRITE_VECTORS=1 and run the test.
        asyncapi: 3.0.0
        info:
          title: DeviceHub terminal protocol
          version: "1"
          description: >-
            What a payment terminal and the hub say to each other over MQTT, in its JSON encoding; the protobuf encoding has the same messages under the
            numbers of x-number. Order, timing, sealing and what people see stand in README.md beside this file; serial.md carries the same messages over a
            serial line. The application described here is the terminal.
        defaultContentType: application/json
        servers:
          tls:
            host: "hub.example.com:8883"
            protocol: mqtts
            protocolVersion: "3.1.1, 5.0"
            description: TLS 1.2 and up; the terminal pins the hub's CA.
          bench:
            host: "127.0.0.1:1883"
            protocol: mqtt
            protocolVersion: "3.1.1, 5.0"
            description: Without TLS, for loopback and test benches only.
        """;

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly (string Channel, string Operation, string Action, MessageDescriptor Envelope, string Summary)[] Ways =
    [
        ("up", "say", "send", Uplink.Descriptor, "Terminal to hub. QoS 1, no retain."),
        ("down", "hear", "receive", Downlink.Descriptor, "Hub to terminal. QoS 1, no retain; subscribed before hello."),
    ];

    public static string Document(string proto)
    {
        var comments = Comments(proto);
        var text = new StringBuilder(Head).Append('\n');
        text.Append("channels:\n");
        foreach (var (channel, _, _, envelope, summary) in Ways)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {channel}:\n    address: \"dh/v1/{{serialNumber}}/{channel}\"\n    description: {Quoted(summary)}\n");
            text.Append("    parameters:\n      serialNumber:\n        description: \"[A-Za-z0-9_-]{4,32}, also the client id\"\n");
            text.Append("    messages:\n");
            foreach (var body in envelope.Fields.InFieldNumberOrder())
            {
                text.Append(CultureInfo.InvariantCulture, $"      {body.Name}:\n        $ref: \"#/components/messages/{channel}_{body.Name}\"\n");
            }
        }

        text.Append("operations:\n");
        foreach (var (channel, operation, action, _, _) in Ways)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {operation}:\n    action: {action}\n    channel:\n      $ref: \"#/channels/{channel}\"\n    bindings:\n      mqtt:\n        qos: 1\n");
            text.Append("        retain: false\n");
        }

        text.Append("components:\n  messages:\n");
        foreach (var (channel, _, _, envelope, _) in Ways)
        {
            foreach (var body in envelope.Fields.InFieldNumberOrder())
            {
                text.Append(CultureInfo.InvariantCulture, $"    {channel}_{body.Name}:\n      name: {body.Name}\n      x-number: {body.FieldNumber}\n");
                text.Append(CultureInfo.InvariantCulture, $"      payload:\n        type: object\n        required: [{body.Name}]\n        properties:\n          {body.Name}:\n            $ref: \"#/components/schemas/{Schema(body.MessageType)}\"\n");
            }
        }

        text.Append("  schemas:\n");
        foreach (var message in Messages(TerminalReflection.Descriptor.MessageTypes).Where(m => m != Uplink.Descriptor && m != Downlink.Descriptor))
        {
            Describe(text, message, comments);
        }

        foreach (var type in TerminalReflection.Descriptor.EnumTypes.Concat(Messages(TerminalReflection.Descriptor.MessageTypes).SelectMany(m => m.EnumTypes)))
        {
            text.Append(CultureInfo.InvariantCulture, $"    {Schema(type)}:\n      type: string\n      enum:\n");
            foreach (var value in type.Values)
            {
                text.Append(CultureInfo.InvariantCulture, $"        - {value.Name} # {value.Number}\n");
            }
        }

        return text.ToString();
    }

    private static void Describe(StringBuilder text, MessageDescriptor message, Dictionary<string, string> comments)
    {
        text.Append(CultureInfo.InvariantCulture, $"    {Schema(message)}:\n      type: object\n");
        if (message.Fields.InFieldNumberOrder().Count == 0)
        {
            return;
        }

        text.Append("      properties:\n");
        foreach (var field in message.Fields.InFieldNumberOrder())
        {
            text.Append(CultureInfo.InvariantCulture, $"        {field.Name}:\n          x-number: {field.FieldNumber}\n");
            if (comments.TryGetValue($"{message.Name}.{field.Name}", out var comment))
            {
                text.Append(CultureInfo.InvariantCulture, $"          description: {Quoted(comment)}\n");
            }

            if (field.IsRepeated)
            {
                text.Append("          type: array\n          items:\n");
                Type(text, field, "            ");
            }
            else
            {
                Type(text, field, "          ");
            }
        }
    }

    private static void Type(StringBuilder text, FieldDescriptor field, string indent)
    {
        var lines = field.FieldType switch
        {
            FieldType.Message => [$"allOf: [{{ $ref: \"#/components/schemas/{Schema(field.MessageType)}\" }}]"],
            FieldType.Enum => [$"allOf: [{{ $ref: \"#/components/schemas/{Schema(field.EnumType)}\" }}]"],
            FieldType.String => ["type: string"],
            FieldType.Bytes => ["type: string", "contentEncoding: base64"],
            FieldType.Bool => ["type: boolean"],
            FieldType.UInt32 => ["type: integer", "minimum: 0", "maximum: 4294967295"],
            FieldType.SInt32 => ["type: integer", "minimum: -2147483648", "maximum: 2147483647"],
            FieldType.UInt64 => ["type: [string, integer]", "format: uint64"],
            FieldType.SInt64 => (string[])["type: [string, integer]", "format: int64"],
            var other => throw new InvalidOperationException($"{field.FullName} is {other}"),
        };
        foreach (var line in lines)
        {
            text.Append(indent).Append(line).Append('\n');
        }
    }

    /// <summary>A nested type is named after the one that it is in.</summary>
    private static string Schema(DescriptorBase type) => type.FullName[(TerminalReflection.Descriptor.Package.Length + 1)..].Replace('.', '_');

    private static IEnumerable<MessageDescriptor> Messages(IEnumerable<MessageDescriptor> types) => types.SelectMany(t => Messages(t.NestedTypes).Prepend(t));

    private static string Quoted(string text) => JsonSerializer.Serialize(text, Relaxed);

    /// <summary>What stands beside each field, with the lines that go on below it, by "Message.field".</summary>
    private static Dictionary<string, string> Comments(string proto)
    {
        var comments = new Dictionary<string, string>();
        var messages = new Stack<string>();
        string? last = null;
        foreach (var line in proto.Split('\n'))
        {
            if (Block().Match(line) is { Success: true } block)
            {
                messages.Push(block.Groups[1].Value);
                last = null;
            }
            else if (Field().Match(line) is { Success: true } field)
            {
                last = $"{messages.Peek()}.{field.Groups[1].Value}";
                if (field.Groups[2].Success)
                {
                    comments[last] = field.Groups[2].Value.Trim();
                }
            }
            else if (last is not null && comments.ContainsKey(last) && GoesOn().Match(line) is { Success: true } more)
            {
                comments[last] += " " + more.Groups[1].Value.Trim();
            }
            else if (line.Trim() == "}" && messages.Count > 0)
            {
                messages.Pop();
                last = null;
            }
        }

        return comments;
    }

    [GeneratedRegex(@"^\s*(?:message|enum)\s+(\w+)\s*\{")]
    private static partial Regex Block();

    [GeneratedRegex(@"^\s*(?:repeated\s+)?[\w.]+\s+(\w+)\s*=\s*\d+;\s*(?://(.*))?$")]
    private static partial Regex Field();

    [GeneratedRegex(@"^\s{30,}//(.*)$")]
    private static partial Regex GoesOn();
}
