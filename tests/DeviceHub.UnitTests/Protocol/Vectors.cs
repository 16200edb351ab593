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
        return
        [
            .. Up().Where(m => m.Name.StartsWith("payment", StringComparison.Ordinal)).Select(m => Seal(m.Name, "up", m.Message, up)),
            .. Down().Where(m => m.Name is "accepted" or "in_doubt" or "outcome_approved").Select(m => Seal(m.Name, "down", m.Message, down)),
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

    private static JsonObject Seal(string name, string direction, IMessage inner, Sealer sealer)
    {
        var sealedBody = sealer.Seal(inner.ToByteString());
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
