using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>
/// firmware-protocol/vectors. What the hub computes is compared with the files; with DEVICEHUB_WRITE_VECTORS=1 it is written there
/// instead, to be read in the diff before it is committed: what firmware in the field relies on must not change.
/// </summary>
internal static class Vectors
{
    public const string SerialNumber = "T0000001";
    public const string HardwareId = "861234567890123";
    public const long TokenSeconds = 1_790_000_000;

    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static byte[] Key { get; } = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    public static byte[] HubNonce { get; } = [.. Enumerable.Range(0xA0, 16).Select(i => (byte)i)];

    public static byte[] TerminalNonce { get; } = [.. Enumerable.Range(0xB0, 16).Select(i => (byte)i)];

    public static byte[] SealInput => Login.SealInput(SerialNumber, HubNonce, TerminalNonce);

    public static byte[] SessionKey => HMACSHA256.HashData(Key, SealInput);

    public static string Folder
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "DeviceHub.sln")))
            {
                folder = folder.Parent ?? throw new DirectoryNotFoundException("no DeviceHub.sln above " + AppContext.BaseDirectory);
            }

            return Path.Combine(folder.FullName, "firmware-protocol");
        }
    }

    public static JsonArray Read(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "vectors", file)))!.AsArray();

    public static void AreEqual(string file, JsonArray computed)
    {
        var text = computed.ToJsonString(Options) + "\n";
        var path = Path.Combine(Folder, "vectors", file);
        if (Environment.GetEnvironmentVariable("DEVICEHUB_WRITE_VECTORS") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    public static string Json(IMessage message) => Encoding.ASCII.GetString(MessageCodec.Encode(message, WireEncoding.Json));

    public static JsonArray Messages() =>
    [
        .. Up().Select(m => (JsonNode)Message(m.Name, "up", m.Message)),
        .. Down().Select(m => (JsonNode)Message(m.Name, "down", m.Message)),
    ];

    public static JsonArray SealedMessages()
    {
        var up = new Sealer(SessionKey, SealDirection.Up);
        var down = new Sealer(SessionKey, SealDirection.Down);
        var query = new Uplink { PaymentQuery = new() { RequestId = "AAECAwQFBgcI-1" } };
        return
        [
            .. Up().Where(m => MessageRules.IsMoney(m.Message.BodyCase) && !IsOfCharge(m.Name)).Select(m => Seal(m.Name, "up", m.Message.ToByteString(), up)),
            Seal("payment_query_with_a_json_body", "up", ByteString.CopyFromUtf8(Json(query)), up),
            .. Down().Where(m => m.Name.StartsWith("accepted", StringComparison.Ordinal) || m.Name.StartsWith("outcome", StringComparison.Ordinal)
                || m.Name is "in_doubt" or "refusal").Select(m => Seal(m.Name, "down", m.Message.ToByteString(), down)),
            .. Up().Where(m => IsOfCharge(m.Name)).Select(m => Seal(m.Name, "up", m.Message.ToByteString(), up)),
            .. Down().Where(m => IsOfCharge(m.Name)).Select(m => Seal(m.Name, "down", m.Message.ToByteString(), down)),
        ];

        // Behind the older ones, whose sequence numbers stay.
        static bool IsOfCharge(string name) =>
            name.Contains("collect", StringComparison.Ordinal) || name.Contains("charge", StringComparison.Ordinal) && !name.StartsWith("outcome", StringComparison.Ordinal);
    }

    /// <summary>What a reader of sealed messages must refuse, in the order of its checks: MAC, sequence, contents.</summary>
    public static JsonArray BadSealedMessages()
    {
        var query = new Uplink { PaymentQuery = new() { RequestId = "AAECAwQFBgcI-1" } };
        var good = new Sealer(SessionKey, SealDirection.Up).Seal(query.ToByteString());
        var other = new Sealer(HMACSHA256.HashData(Key, Login.SealInput(SerialNumber, TerminalNonce, TerminalNonce)), SealDirection.Up);
        var wrongMac = good.Clone();
        wrongMac.Mac = ByteString.CopyFrom([.. good.Mac.Span[..7], (byte)(good.Mac[7] ^ 1)]);
        var otherBody = good.Clone();
        otherBody.Body = new Uplink { PaymentCancel = new() { RequestId = "AAECAwQFBgcI-1" } }.ToByteString();
        var otherSequence = good.Clone();
        otherSequence.Sequence = 2;
        return
        [
            BadSeal("wrong_mac", 0, wrongMac, "WrongMac"),
            BadSeal("other_body", 0, otherBody, "WrongMac"),
            BadSeal("other_sequence", 0, otherSequence, "WrongMac"),
            BadSeal("of_another_session", 0, other.Seal(query.ToByteString()), "WrongMac"),
            BadSeal("sent_back_in_the_other_direction", 0, new Sealer(SessionKey, SealDirection.Down).Seal(query.ToByteString()), "WrongMac"),
            BadSeal("replayed", 1, good, "Replayed"),
            BadSeal("older_than_the_last", 5, good, "Replayed"),
            BadSeal("sealed_within_sealed", 0, SealUp(new Uplink { Sealed = good }), "NotMoney"),
            BadSeal("heartbeat_within_sealed", 0, SealUp(new Uplink { Heartbeat = new() { UptimeS = 1 } }), "NotMoney"),
            BadSeal("no_message_within_sealed", 0, new Sealer(SessionKey, SealDirection.Up).Seal(ByteString.CopyFrom(0xFF)), "NotAMessage"),
            BadSeal("no_body_within_sealed", 0, new Sealer(SessionKey, SealDirection.Up).Seal(ByteString.CopyFromUtf8("{}")), "NoBody"),
            BadSeal("field_within_sealed", 0, SealUp(new Uplink { PaymentQuery = new() { RequestId = "short" } }), "Field"),
        ];
    }

    public static JsonArray Logins()
    {
        var input = Login.ProofInput("mqtt", SerialNumber, HardwareId, HubNonce, TerminalNonce);
        var serial = Login.ProofInput("serial", SerialNumber, HardwareId, HubNonce, TerminalNonce);
        return
        [
            LoginOf("proof_mqtt", input, HMACSHA256.HashData(Key, input)),
            LoginOf("proof_serial", serial, HMACSHA256.HashData(Key, serial)),
            LoginOf("session_key", SealInput, SessionKey),
            LoginOf("token", Login.TokenInput(SerialNumber, TokenSeconds), HMACSHA256.HashData(Key, Login.TokenInput(SerialNumber, TokenSeconds))),
        ];
    }

    public static JsonArray Configurations() =>
    [
        .. ConfigurationSets().Select(set =>
            (JsonNode)new JsonObject
            {
                ["name"] = set.Name,
                ["entries"] = new JsonArray([.. set.Entries.Select(e => JsonNode.Parse(Json(e)))]),
                ["hash"] = Hex(ConfigurationHash.Of(set.Entries)),
            }),
    ];

    private static IEnumerable<(string Name, Uplink Message)> Up() => GoldenMessages.Up();

    private static IEnumerable<(string Name, Downlink Message)> Down() => GoldenMessages.Down();

    private static IEnumerable<(string Name, ConfigurationEntry[] Entries)> ConfigurationSets() =>
    [
        ("empty", []),
        ("one_of_each", GoldenMessages.Entries),
        ("order_does_not_matter", [.. GoldenMessages.Entries.Reverse()]),
        ("chinese_and_negative", [new() { Key = "greeting", Text = "欢迎光临" }, new() { Key = "offset", Number = -7 }]),
    ];

    private static JsonObject Message(string name, string direction, IMessage message) => new()
    {
        ["name"] = name,
        ["direction"] = direction,
        ["hex"] = Hex(message.ToByteArray()),
        ["json"] = Json(message),
    };

    private static JsonObject LoginOf(string name, byte[] input, byte[] mac) => new()
    {
        ["name"] = name,
        ["terminal_key"] = Hex(Key),
        ["serial_number"] = SerialNumber,
        ["hardware_id"] = HardwareId,
        ["hub_nonce"] = Hex(HubNonce),
        ["terminal_nonce"] = Hex(TerminalNonce),
        ["input"] = Hex(input),
        ["hmac"] = Hex(mac),
        ["token"] = name == "token" ? Login.Token(Key, SerialNumber, TokenSeconds) : null,
    };

    private static Sealed SealUp(Uplink inner) => new Sealer(SessionKey, SealDirection.Up).Seal(inner.ToByteString());

    private static JsonObject BadSeal(string name, int afterSequence, Sealed message, string error) => new JsonObject
    {
        ["name"] = name,
        ["direction"] = "up",
        ["session_key"] = Hex(SessionKey),
        ["after_sequence"] = afterSequence,
        ["hex"] = Hex(new Uplink { Sealed = message }.ToByteArray()),
        ["error"] = error,
    };

    private static JsonObject Seal(string name, string direction, ByteString inner, Sealer sealer)
    {
        var sealedBody = sealer.Seal(inner);
        IMessage whole = direction == "up" ? new Uplink { Sealed = sealedBody } : new Downlink { Sealed = sealedBody };
        return new JsonObject
        {
            ["name"] = name,
            ["direction"] = direction,
            ["session_key"] = Hex(SessionKey),
            ["sequence"] = sealedBody.Sequence,
            ["body"] = Hex(sealedBody.Body.Span),
            ["mac"] = Hex(sealedBody.Mac.Span),
            ["hex"] = Hex(whole.ToByteArray()),
            ["json"] = Json(whole),
        };
    }
}
