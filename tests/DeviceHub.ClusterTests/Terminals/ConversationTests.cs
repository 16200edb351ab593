using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways;
using DeviceHub.Protocol;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>
/// Plays the terminal's lines of "A whole conversation" in firmware-protocol/README.md against a session and compares the hub's lines byte for
/// byte. What a hub draws by chance or by its clock (nonce, epochs, times of the outcome) is put in the place of what is written there, both ways.
/// </summary>
public sealed class ConversationTests : IAsyncLifetime
{
    private const string SerialNumber = "T0000001";
    private const string WrittenEpoch = "AAECAwQFBgcI";
    private const string WrittenSessionEpoch = "7354397491200000";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly string WrittenNonce = Convert.ToBase64String([.. Enumerable.Range(0xA0, 16).Select(i => (byte)i)]);

    private readonly TerminalFixture hub = new();

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Conversation_of_the_specification_happens_as_it_is_written()
    {
        await hub.Terminals.Save(new TerminalRecord
        {
            SerialNumber = SerialNumber, Status = TerminalStatus.Active, Model = "bare", MerchantId = "M1", MerchantName = "Corner Shop", StoreId = "S1",
            Key = new SecretBytes(Key), HardwareId = "861234567890123",
        });
        await hub.Grain(SerialNumber).SetConfiguration("""{"sound":{"volume":7,"on":true},"screen":{"idle_text":"Welcome"}}""", TerminalFixture.Admin);
        var wire = new RawWire();
        var session = hub.Sessions.Open(SerialNumber, null, wire);
        var lines = Lines();
        var answers = new Answers(Text(lines[0], "hello", "terminal_nonce"));
        foreach (var line in lines)
        {
            if (line.StartsWith("T ", StringComparison.Ordinal))
            {
                await session.Receive(Encoding.ASCII.GetBytes(answers.ToLive(line[2..])));
                continue;
            }

            await Help(line, wire);
            Assert.Equal(line[2..], answers.ToWritten(await wire.Next(), line[2..]));
        }

        Assert.False(wire.HasMore);
        Assert.Equal(13, lines.Count);
    }

    [Fact]
    public void Proof_of_the_conversation_is_that_of_the_worked_nonces()
    {
        var lines = Lines();
        var input = Login.ProofInput("mqtt", SerialNumber, "861234567890123", Convert.FromBase64String(WrittenNonce),
            Convert.FromBase64String(Text(lines[0], "hello", "terminal_nonce")));

        Assert.Equal(Convert.ToBase64String(HMACSHA256.HashData(Key, input)), Text(lines[2], "proof", "mac"));
    }

    /// <summary>The hub speaks of a running payment after 200 ms, and of its outcome when the channel has answered.</summary>
    private async Task Help(string line, RawWire wire)
    {
        if (line.StartsWith("H {\"accepted\"", StringComparison.Ordinal))
        {
            // The session's wait may begin after any of these steps; all of them together are less than the channel may take.
            for (var step = 0; step < 100 && !await wire.HasMoreWithin(TimeSpan.FromMilliseconds(100)); step++)
            {
                hub.Clock.Advance(TimeSpan.FromMilliseconds(50));
            }
        }
        else if (line.StartsWith("H {\"outcome\"", StringComparison.Ordinal))
        {
            hub.Channel.Say(EffectKind.Pay, new ChannelVerdict(
                Verdict.Approved, "SUCCESS", PaidFen: 1200, DiscountFen: 50, Transaction: "4200001234202611240001", Payer: "o*3k"));
        }
    }

    private static List<string> Lines()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "DeviceHub.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no DeviceHub.sln above " + AppContext.BaseDirectory);
        }

        return [.. File.ReadLines(Path.Combine(folder.FullName, "firmware-protocol", "README.md"))
            .SkipWhile(l => l != "## A whole conversation").SkipWhile(l => !l.StartsWith("```", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(l => !l.StartsWith("```", StringComparison.Ordinal))];
    }

    private static string Text(string line, string body, string field) => (string)JsonNode.Parse(line[2..])![body]![field]!;

    /// <summary>Between what is written and what this hub said.</summary>
    private sealed class Answers(string terminalNonce)
    {
        private string nonce = "";
        private string proof = "";
        private string epoch = "";
        private string sessionEpoch = "";

        public string ToWritten(string told, string written)
        {
            var message = JsonNode.Parse(told)!;
            foreach (var time in new[] { "hub_time_ms", "sent_time_ms" })
            {
                if (message["outcome"]?[time] is { } live)
                {
                    told = Replace(told, (string)live!, (string)JsonNode.Parse(written)!["outcome"]![time]!);
                }
            }

            if (message["challenge"] is { } challenge)
            {
                nonce = (string)challenge["hub_nonce"]!;
                proof = Convert.ToBase64String(HMACSHA256.HashData(Key, Login.ProofInput(
                    "mqtt", SerialNumber, "861234567890123", Convert.FromBase64String(nonce), Convert.FromBase64String(terminalNonce))));
            }
            else if (message["welcome"] is { } welcome)
            {
                epoch = (string)welcome["request_epoch"]!;
                sessionEpoch = (string)welcome["session_epoch"]!;
            }

            return Replace(Replace(Replace(told, nonce, WrittenNonce), epoch, WrittenEpoch), sessionEpoch, WrittenSessionEpoch);
        }

        public string ToLive(string written)
        {
            var live = Replace(written, WrittenEpoch, epoch);
            return JsonNode.Parse(live)!["proof"] is { } mac ? Replace(live, (string)mac["mac"]!, proof) : live;
        }

        private static string Replace(string text, string what, string with) =>
            what.Length == 0 || with.Length == 0 ? text : text.Replace(what, with, StringComparison.Ordinal);
    }

    private sealed class RawWire : IWire
    {
        private readonly Channel<string> told = System.Threading.Channels.Channel.CreateUnbounded<string>();

        public string Name => "mqtt";

        public EndPoint? Remote => new IPEndPoint(IPAddress.Loopback, 5000);

        public bool Secure => true;

        public bool CanReceive => true;

        public int MaxMessageBytes => int.MaxValue;

        public bool HasMore => told.Reader.TryPeek(out _);

        public async Task<bool> HasMoreWithin(TimeSpan wait)
        {
            try
            {
                return await told.Reader.WaitToReadAsync().AsTask().WaitAsync(wait);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        public void LoggedIn()
        {
        }

        public void Cut(CutReason reason) => told.Writer.TryWrite("cut: " + reason);

        public bool TrySend(ReadOnlySpan<byte> payload) => told.Writer.TryWrite(Encoding.ASCII.GetString(payload));

        public Task<string> Next() => told.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
    }
}
