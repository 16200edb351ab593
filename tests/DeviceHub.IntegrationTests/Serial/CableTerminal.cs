using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using DeviceHub.Gateways.Serial;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceHub.IntegrationTests.Serial;

/// <summary>A terminal at its end of a cable, in a test's hands: the link runs by itself, the session does what the test says.</summary>
internal sealed class CableTerminal : ILoopPort, ILinkHost, IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly SerialLoop loop = new(TimeProvider.System, NullLogger.Instance);
    private readonly Tty tty;
    private readonly PortOutput output;
    private readonly TerminalLink link;
    private readonly byte[] buffer = new byte[4_096];
    private readonly Channel<Downlink> inbox = Channel.CreateBounded<Downlink>(1_000);
    private readonly ConcurrentQueue<byte[]> outbox = new();
    private readonly string serialNumber;
    private readonly string hardwareId;
    private readonly byte[] nonce = RandomNumberGenerator.GetBytes(Login.NonceBytes);
    private byte[] hubNonce = [];
    private Sealer? seal;
    private Sealer? open;
    private int counter;

    public CableTerminal(string path, string serialNumber, string hardwareId = "HW-1", int baud = 115_200, int[]? rates = null)
    {
        this.serialNumber = serialNumber;
        this.hardwareId = hardwareId;
        tty = Tty.Open(path, baud, ModemLine.Untouched, ModemLine.Untouched);
        output = new PortOutput(tty, 65_536);
        link = new TerminalLink(
            this, baud, new LinkHello(0, 1_024, LinkHello.DefaultStallMs, serialNumber, rates ?? [921_600]), () => (uint)RandomNumberGenerator.GetInt32(1, int.MaxValue));
        loop.Serve(this);
    }

    public string SerialNumber => serialNumber;

    public byte[]? Key { get; set; }

    public Welcome Welcome { get; private set; } = new();

    /// <summary>Grows when the link comes up.</summary>
    public int Ups { get; private set; }

    public int Rate => link.Rate;

    public int ResentFrames => (int)link.Counts.Resent;

    /// <summary>Why the link went down, in order.</summary>
    public ConcurrentQueue<(LinkEnd End, byte Code)> Downs { get; } = new();

    public int Descriptor => tty.Descriptor;

    public bool WantsToWrite => output.WantsToWrite;

    public long NextTick => Math.Min(link.NextTick, output.NextTick);

    public void Begin(long nowMs) => link.Start(nowMs);

    public void Readable(long nowMs)
    {
        link.Receive(buffer.AsSpan(0, tty.Read(buffer)), nowMs);
        Pump(nowMs);
    }

    public void Writable(long nowMs) => output.Flush(nowMs);

    public void Tick(long nowMs)
    {
        output.Flush(nowMs);
        link.Tick(nowMs);
        Pump(nowMs);
    }

    public void Ended(PortException? why)
    {
        tty.Dispose();
        inbox.Writer.TryComplete();
    }

    public void Write(ReadOnlySpan<byte> bytes) => output.Write(bytes, loop.NowMs);

    public void ChangeRate(int baud) => output.ChangeRate(baud, loop.NowMs);

    public bool Deliver(ReadOnlySpan<byte> payload)
    {
        Assert.True(MessageCodec.TryDecode(payload, out Downlink? message, out _).Ok);
        if (message!.BodyCase == Downlink.BodyOneofCase.Sealed)
        {
            Assert.Equal(SealFault.None, open!.Open(message.Sealed));
            Assert.True(MessageCodec.TryDecode(message.Sealed.Body.Span, out message, out _).Ok);
        }

        return inbox.Writer.TryWrite(message!);
    }

    public void Up() => Ups++;

    public void Down(LinkEnd end, byte code)
    {
        outbox.Clear();
        Downs.Enqueue((end, code));
    }

    /// <summary>Bytes on the cable that are no frame of this terminal's link.</summary>
    public void Raw(params byte[] bytes) => loop.Post(() => output.Write(bytes, loop.NowMs));

    /// <summary>A frame of a test's making.</summary>
    public void RawFrame(FrameType type, byte sequence, params byte[] payload) => Raw(Frame(type, sequence, payload));

    public static byte[] Frame(FrameType type, byte sequence, params byte[] payload)
    {
        var line = new byte[FrameSize.OnLine(payload.Length)];
        return line[..new FrameWriter(payload.Length).Write(line, type, sequence, payload)];
    }

    /// <summary>The session begins anew, as after a login that the hub refused.</summary>
    public void BeginAnew() => loop.Post(() => link.Start(loop.NowMs));

    public void Send(Uplink message)
    {
        outbox.Enqueue(message.ToByteArray());
        loop.Post(() => Pump(loop.NowMs));
    }

    public void SendSealed(Uplink message) => Send(new Uplink { Sealed = seal!.Seal(message.ToByteString()) });

    public async Task<Downlink> Next()
    {
        using var timeout = new CancellationTokenSource(Limit);
        return await inbox.Reader.ReadAsync(timeout.Token);
    }

    /// <summary>What has come and was not looked at yet.</summary>
    public bool TryNext(out Downlink? message) => inbox.Reader.TryRead(out message);

    public async Task<Downlink> Expect(Downlink.BodyOneofCase kind)
    {
        var message = await Next();
        Assert.True(message.BodyCase == kind, $"expected {kind}, got {message}");
        return message;
    }

    /// <summary>Until it has a key; <see cref="Prove"/> goes on in the same session.</summary>
    public async Task Activate(string code)
    {
        SendHello();
        hubNonce = (await Expect(Downlink.BodyOneofCase.Challenge)).Challenge.HubNonce.ToByteArray();
        Send(new Uplink { Activate = new Activate { ActivationCode = code } });
        Key = (await Expect(Downlink.BodyOneofCase.Offer)).Offer.TerminalKey.ToByteArray();
    }

    /// <summary>From hello to synced, on the link that is up or comes up.</summary>
    public async Task LogIn()
    {
        SendHello();
        hubNonce = (await Expect(Downlink.BodyOneofCase.Challenge)).Challenge.HubNonce.ToByteArray();
        await Prove();
    }

    /// <summary>From the challenge that was answered last to synced.</summary>
    public async Task Prove()
    {
        var sessionKey = HMACSHA256.HashData(Key!, Login.SealInput(serialNumber, hubNonce, nonce));
        seal = new Sealer(sessionKey, SealDirection.Up);
        open = new Sealer(sessionKey, SealDirection.Down);
        var input = Login.ProofInput("serial", serialNumber, hardwareId, hubNonce, nonce);
        Send(new Uplink { Proof = new Proof { Mac = ByteString.CopyFrom(HMACSHA256.HashData(Key!, input)) } });
        Welcome = (await Expect(Downlink.BodyOneofCase.Welcome)).Welcome;
        while ((await Next()).BodyCase != Downlink.BodyOneofCase.Synced)
        {
        }
    }

    /// <summary>Pays, waits for the outcome, and says that it was shown.</summary>
    public async Task<Outcome> Pay(ulong amountFen)
    {
        var id = $"{Welcome.RequestEpoch}-{++counter}";
        SendSealed(new Uplink
        {
            PaymentRequest = new()
            {
                RequestId = id, AmountFen = amountFen, PaymentCode = $"13{RandomNumberGenerator.GetInt32(0, int.MaxValue):0000000000000000}",
                AgeMs = 20, TimeToLiveMs = 30_000,
            },
        });
        while (true)
        {
            var message = await Next();
            Assert.False(message.BodyCase == Downlink.BodyOneofCase.Refusal, $"refused: {message.Refusal}");
            if (message.BodyCase == Downlink.BodyOneofCase.Outcome && message.Outcome.RequestId == id)
            {
                SendSealed(new Uplink { OutcomeShown = new() { RequestId = id, Revision = message.Outcome.Revision } });
                return message.Outcome;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        loop.Dispose();
        return ValueTask.CompletedTask;
    }

    public void SendHello() => Send(new Uplink
    {
        Hello = new Hello
        {
            ProtocolVersion = 1, HardwareId = hardwareId, BootReason = BootReason.PowerOn, Firmware = "test", MaxMessageBytes = 1_024,
            TextEncoding = TextEncoding.Utf8, TerminalNonce = ByteString.CopyFrom(nonce),
        },
    });

    private void Pump(long nowMs)
    {
        while (outbox.TryPeek(out var payload) && link.TrySend(payload, nowMs))
        {
            outbox.TryDequeue(out _);
        }
    }
}
