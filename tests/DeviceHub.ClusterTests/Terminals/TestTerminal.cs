using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using DeviceHub.Gateways;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>A terminal and its wire in memory. It sends what a test says and keeps what it was told.</summary>
internal sealed class TestTerminal : IWire
{
    private readonly TerminalFixture hub;
    private readonly Channel<Downlink> told = System.Threading.Channels.Channel.CreateUnbounded<Downlink>();
    private readonly WireEncoding encoding;
    private readonly byte[] nonce = RandomNumberGenerator.GetBytes(16);
    private byte[] hubNonce = [];
    private byte[] sealKey = [];
    private Sealer? up;
    private Sealer? down;
    private int requests;

    public TestTerminal(TerminalFixture hub, string serialNumber, bool json = false, byte[]? key = null, string? token = null)
    {
        this.hub = hub;
        SerialNumber = serialNumber;
        encoding = json ? WireEncoding.Json : WireEncoding.Protobuf;
        Key = key ?? [];
        Session = hub.Sessions.Open(serialNumber, token, this);
    }

    public ITerminalSession Session { get; }

    public string SerialNumber { get; }

    public byte[] Key { get; private set; }

    public string HardwareId { get; init; } = "HW1";

    /// <summary>Its firmware collects charges of the till.</summary>
    public bool Collects { get; init; }

    public int MaxBytes { get; init; } = 512;

    public int MaxMessageBytes { get; init; } = int.MaxValue;

    /// <summary>Sending throws from now on.</summary>
    public bool Breaks { get; set; }

    /// <summary>Called with each message as it is sent, before the terminal has it.</summary>
    public Action<Downlink>? Sent { get; set; }

    public Welcome Welcome { get; private set; } = new();

    public TaskCompletionSource<CutReason> WasCut { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => "mqtt";

    public EndPoint? Remote { get; init; } = new IPEndPoint(IPAddress.Loopback, 5000);

    public bool Secure { get; init; } = true;

    public bool CanReceive { get; set; } = true;

    public bool ProvedItself { get; private set; }

    public void LoggedIn() => ProvedItself = true;

    public void Cut(CutReason reason) => WasCut.TrySetResult(reason);

    public bool TrySend(ReadOnlySpan<byte> payload)
    {
        if (Breaks)
        {
            throw new InvalidOperationException("a fault in a wire");
        }

        Assert.True(payload.Length <= Math.Min(MaxBytes, MaxMessageBytes), $"{payload.Length} bytes do not fit {MaxBytes}");
        var error = MessageCodec.TryDecode(payload, out Downlink? message, out var form);
        Assert.True(error.Ok, error.Detail);
        Assert.Equal(encoding, form);
        if (message!.Sealed is { } box)
        {
            down ??= new Sealer(sealKey, SealDirection.Down);
            Assert.Equal(SealFault.None, down.Open(box));
            Assert.True(MessageCodec.TryDecode(box.Body.Span, out message, out _).Ok);
        }

        if (message!.Challenge is { } challenge)
        {
            hubNonce = challenge.HubNonce.ToByteArray();
        }

        if (message.Welcome is { } welcome)
        {
            Welcome = welcome;
            hubNonce = welcome.HubNonce.Length > 0 ? welcome.HubNonce.ToByteArray() : hubNonce;
            sealKey = HMACSHA256.HashData(Key, Login.SealInput(SerialNumber, hubNonce, nonce));
        }

        Sent?.Invoke(message);
        return told.Writer.TryWrite(message);
    }

    public ValueTask Send(Uplink message) => Session.Receive(MessageCodec.Encode(message, encoding));

    public ValueTask SendSealed(Uplink message) => Send(Seal(message));

    public Uplink Seal(Uplink message)
    {
        up ??= new Sealer(sealKey, SealDirection.Up);
        return new Uplink { Sealed = up.Seal(ByteString.CopyFrom(MessageCodec.Encode(message, encoding))) };
    }

    public ValueTask Hello(uint version = 1)
    {
        var hello = new Hello
        {
            ProtocolVersion = version, HardwareId = HardwareId, BootReason = BootReason.PowerOn, Firmware = "1.0", MaxMessageBytes = (uint)MaxBytes,
            TextEncoding = TextEncoding.Gbk, TerminalNonce = ByteString.CopyFrom(nonce), Capabilities = { "speech" },
        };
        if (Collects)
        {
            hello.Capabilities.Add("collect");
        }

        return Send(new Uplink { Hello = hello });
    }

    public async Task Activate(string code)
    {
        await Hello();
        await Next(d => d.Challenge is not null);
        await Send(new Uplink { Activate = new() { ActivationCode = code } });
        Key = (await Next(d => d.Offer is not null)).Offer.TerminalKey.ToByteArray();
    }

    public ValueTask Prove(byte[]? key = null) => Send(new Uplink
    {
        Proof = new() { Mac = ByteString.CopyFrom(HMACSHA256.HashData(key ?? Key, Login.ProofInput("mqtt", SerialNumber, HardwareId, hubNonce, nonce))) },
    });

    /// <summary>Hello, proof, synced with the key that the terminal has.</summary>
    public async Task<Downlink> LogIn()
    {
        await Hello();
        await Next(d => d.Challenge is not null);
        await Prove();
        return await Next(d => d.Synced is not null || d.Refusal is not null);
    }

    public PaymentRequest Request(ulong amountFen = 1000, string? id = null) => new()
    {
        RequestId = id ?? $"{Welcome.RequestEpoch}-{++requests}", AmountFen = amountFen, PaymentCode = "134567890123456789", TimeToLiveMs = 30_000,
    };

    /// <summary>The first message that fits; what comes before it is left out.</summary>
    public async Task<Downlink> Next(Func<Downlink, bool> fits)
    {
        while (true)
        {
            var message = await told.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
            if (fits(message))
            {
                return message;
            }
        }
    }

    public bool ToldNothing => !told.Reader.TryPeek(out _);
}
