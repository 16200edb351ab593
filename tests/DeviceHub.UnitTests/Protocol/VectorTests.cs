using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace DeviceHub.UnitTests.Protocol;

public sealed partial class VectorTests
{
    [Fact]
    public void Messages_are_written_as_the_vectors_say_in_both_encodings() => Vectors.AreEqual("messages.json", Vectors.Messages());

    [Fact]
    public void Sealed_messages_are_written_as_the_vectors_say() => Vectors.AreEqual("sealed.json", Vectors.SealedMessages());

    [Fact]
    public void Proofs_session_keys_and_tokens_are_computed_as_the_vectors_say() => Vectors.AreEqual("login.json", Vectors.Logins());

    [Fact]
    public void Configurations_hash_as_the_vectors_say() => Vectors.AreEqual("configuration.json", Vectors.Configurations());

    [Fact]
    public void Both_encodings_of_a_vector_are_read_as_the_same_message()
    {
        foreach (var vector in Vectors.Read("messages.json"))
        {
            var hex = Read(vector!, Convert.FromHexString(Text(vector!, "hex")));
            var json = Read(vector!, Encoding.ASCII.GetBytes(Text(vector!, "json")));
            Assert.Equal(hex, json);
        }
    }

    [Fact]
    public void Sealed_vectors_open_once_and_only_in_their_direction()
    {
        foreach (var vector in Vectors.Read("sealed.json"))
        {
            var up = Text(vector!, "direction") == "up";
            var message = (Sealed)Read(vector!, Convert.FromHexString(Text(vector!, "hex")));
            var key = Convert.FromHexString(Text(vector!, "session_key"));
            var opener = new Sealer(key, up ? SealDirection.Up : SealDirection.Down);
            Assert.Equal(SealFault.None, opener.Open(message));
            Assert.Equal(SealFault.Replayed, opener.Open(message));
            Assert.Equal(SealFault.WrongMac, new Sealer(key, up ? SealDirection.Down : SealDirection.Up).Open(message));
            message.Mac = ByteString.CopyFrom([.. message.Mac.Span[..7], (byte)(message.Mac[7] ^ 1)]);
            Assert.Equal(SealFault.WrongMac, new Sealer(key, up ? SealDirection.Up : SealDirection.Down).Open(message));
        }
    }

    [Fact]
    public void Bad_sealed_vectors_are_refused_with_the_error_that_they_name()
    {
        var bad = Vectors.BadSealedMessages();
        Vectors.AreEqual("sealed_bad.json", bad);
        foreach (var vector in bad)
        {
            var key = Convert.FromHexString(Text(vector!, "session_key"));
            var opener = new Sealer(key, SealDirection.Up);
            var before = new Sealer(key, SealDirection.Up);
            for (var i = 0; i < (int)vector!["after_sequence"]!; i++)
            {
                Assert.Equal(SealFault.None, opener.Open(before.Seal(ByteString.CopyFrom(1))));
            }

            var message = (Sealed)Read(vector, Convert.FromHexString(Text(vector, "hex")));
            Assert.Equal(Text(vector, "error"), Fault(opener, message));
        }
    }

    [Fact]
    public void Every_body_has_a_vector()
    {
        var names = Vectors.Messages().Select(m => JsonNode.Parse(Text(m!, "json"))!.AsObject().Single().Key + " " + Text(m!, "direction")).ToHashSet();
        var wanted = Uplink.Descriptor.Fields.InDeclarationOrder().Select(f => f.Name + " up")
            .Concat(Downlink.Descriptor.Fields.InDeclarationOrder().Select(f => f.Name + " down"));
        Assert.All(wanted, w => Assert.Contains(w, names));
    }

    [Fact]
    public void Every_rule_has_a_vector_that_breaks_it()
    {
        var rules = File.ReadAllText(Path.Combine(Vectors.Folder, "..", "src", "DeviceHub.Protocol", "MessageRules.cs"));
        var details = Vectors.Read("bad.json").Select(b => Text(b!, "detail")).ToArray();
        var fields = FieldInRule().Matches(rules).Select(m => m.Groups[1].Value)
            .Concat(RequestIdRule().Matches(rules).Select(m => m.Groups[1].Value + ".request_id")).Distinct().ToArray();
        Assert.True(fields.Length > 40, $"only {fields.Length} rules found");
        Assert.All(fields, f => Assert.Contains(details, d => d.StartsWith(f, StringComparison.Ordinal)));
    }

    [Fact]
    public void Bad_vectors_are_refused_with_the_error_that_they_name()
    {
        var bad = Vectors.Read("bad.json");
        Assert.NotEmpty(bad);
        foreach (var vector in bad)
        {
            var payload = Payload(vector!);
            var error = Text(vector!, "direction") == "up"
                ? MessageCodec.TryDecode(payload, out Uplink? _, out _)
                : MessageCodec.TryDecode(payload, out Downlink? _, out _);
            Assert.False(error.Ok, Text(vector!, "name"));
            vector!["fault"] = error.Fault.ToString();
            vector["detail"] = error.Detail;
        }

        Vectors.AreEqual("bad.json", bad);
    }

    [Fact]
    public void The_worked_bytes_of_the_specification_are_those_of_the_vectors()
    {
        var specification = File.ReadAllText(Path.Combine(Vectors.Folder, "README.md"));
        var login = Vectors.Logins();
        string[] worked =
        [
            .. login.Select(l => Text(l!, "input")), .. login.Select(l => Text(l!, "hmac")), Text(login[3]!, "token"),
            .. new[] { "body", "mac", "hex" }.Select(f => Text(Vectors.SealedMessages()[0]!, f)),
            Text(Vectors.Configurations()[1]!, "hash"),
        ];
        Assert.All(worked, w => Assert.Contains(w, specification, StringComparison.Ordinal));
    }

    [Fact]
    public void A_token_is_read_back_and_nothing_else_is_read_as_one()
    {
        var token = Login.Token(Vectors.Key, Vectors.SerialNumber, Vectors.TokenSeconds);
        Assert.True(Login.TryParseToken(token, out var seconds, out var mac));
        Assert.Equal(Vectors.TokenSeconds, seconds);
        Assert.Equal(token[^32..], Convert.ToHexStringLower(mac));
        Assert.All(
            new[] { "", "t1", "t1..", token + "0", token[..^1], "t2" + token[2..], token.Replace("1790", "-790", StringComparison.Ordinal) },
            bad => Assert.False(Login.TryParseToken(bad, out _, out _), bad));
    }

    [GeneratedRegex("\"([a-z_]+(?:\\.[a-z_0-9]+)+)[:\"]")]
    private static partial Regex FieldInRule();

    [GeneratedRegex(@"RequestId\(message\.\w+\.RequestId, ""(\w+)""\)")]
    private static partial Regex RequestIdRule();

    private static string Fault(Sealer opener, Sealed message)
    {
        if (opener.Open(message) is var seal and not SealFault.None)
        {
            return seal.ToString();
        }

        var error = MessageCodec.TryDecode(message.Body.Span, out Uplink? inner, out _);
        return !error.Ok ? error.Fault.ToString() : MessageRules.IsMoney(inner!.BodyCase) ? "None" : "NotMoney";
    }

    private static IMessage Read(JsonNode vector, byte[] payload)
    {
        DecodeError error;
        IMessage? message;
        if (Text(vector, "direction") == "up")
        {
            error = MessageCodec.TryDecode(payload, out Uplink? up, out _);
            message = up;
        }
        else
        {
            error = MessageCodec.TryDecode(payload, out Downlink? down, out _);
            message = down;
        }

        Assert.True(error.Ok, $"{Text(vector, "name")}: {error.Detail}");
        var body = message!.Descriptor.Oneofs[0].Accessor.GetCaseFieldDescriptor(message);
        return (IMessage)body.Accessor.GetValue(message);
    }

    private static byte[] Payload(JsonNode vector) => vector switch
    {
        _ when vector["hex"] is { } hex => Convert.FromHexString((string)hex!),
        _ when vector["repeat"] is { } repeat => Encoding.UTF8.GetBytes(
            Text(vector, "before") + string.Concat(Enumerable.Repeat((string)repeat!, (int)vector["times"]!)) + Text(vector, "after")),
        _ => Encoding.UTF8.GetBytes(Text(vector, "text")),
    };

    private static string Text(JsonNode vector, string name) => (string?)vector[name] ?? "";
}
