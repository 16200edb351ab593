using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace DeviceHub.IntegrationTests.BadInput;

/// <summary>
/// A terminal in a test's hands: it does nothing by itself, so that a test can leave out, repeat or forge any step. Received messages
/// are opened if they are sealed; <see cref="Sealed"/> counts them.
/// </summary>
internal sealed class TestTerminal(string serialNumber, int port, string hardwareId = "HW-1") : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();
    private readonly Channel<Downlink> inbox = Channel.CreateBounded<Downlink>(1000);
    private byte[] terminalNonce = RandomNumberGenerator.GetBytes(16);
    private byte[] hubNonce = [];
    private Sealer? seal;
    private Sealer? open;
    private byte[] sessionKey = [];
    private int counter;

    public string SerialNumber => serialNumber;

    public byte[]? Key { get; set; }

    /// <summary>What it used and no log may tell: activation codes, keys and payment codes. Keys are there as hex and as base64.</summary>
    public ConcurrentBag<string> Secrets { get; init; } = [];

    public bool Json { get; set; }

    /// <summary>Its firmware collects charges of the till.</summary>
    public bool Collects { get; init; }

    /// <summary>TLS, with this CA pinned. Null: plain.</summary>
    public X509Certificate2? Ca { get; init; }

    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(60);

    public Welcome Welcome { get; private set; } = new();

    public int Sealed { get; private set; }

    public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Connected => client.IsConnected;

    public IMqttClient Mqtt => client;

    public byte[] SessionKey => sessionKey;

    public async Task<MqttClientConnectResult> Connect(
        string? password = null, string? clientId = null, MqttProtocolVersion version = MqttProtocolVersion.V500, bool subscribe = true)
    {
        client.ApplicationMessageReceivedAsync += e =>
        {
            Take(e.ApplicationMessage.Payload.ToArray());
            return Task.CompletedTask;
        };
        client.DisconnectedAsync += _ =>
        {
            Closed.TrySetResult();
            inbox.Writer.TryComplete();
            return Task.CompletedTask;
        };
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", port).WithClientId(clientId ?? serialNumber).WithProtocolVersion(version)
            .WithTimeout(Limit).WithKeepAlivePeriod(KeepAlive);
        if (Ca is { } ca)
        {
            options.WithTlsOptions(tls => tls.UseTls().WithTrustChain([ca]).WithRevocationMode(X509RevocationMode.NoCheck));
        }

        if (password is not null)
        {
            options.WithCredentials(serialNumber, password);
        }

        var result = await client.ConnectAsync(options.Build());
        if (subscribe && client.IsConnected)
        {
            await client.SubscribeAsync(Names.DownTopic(serialNumber), MqttQualityOfServiceLevel.AtLeastOnce);
        }

        return result;
    }

    public Task SendHello() => Send(new Uplink
    {
        Hello = new Hello
        {
            ProtocolVersion = 1,
            HardwareId = hardwareId,
            BootReason = BootReason.PowerOn,
            Firmware = "test",
            MaxMessageBytes = 4096,
            TextEncoding = TextEncoding.Utf8,
            TerminalNonce = ByteString.CopyFrom(terminalNonce),
            Capabilities = { Collects ? ["collect"] : Array.Empty<string>() },
        },
    });

    /// <summary>Connects, says hello, activates and comes back with the key. The connection is closed.</summary>
    public async Task<byte[]> Activate(string code)
    {
        await Connect();
        await SendHello();
        await Expect(Downlink.BodyOneofCase.Challenge);
        await Send(new Uplink { Activate = new Activate { ActivationCode = code } });
        Key = (await Expect(Downlink.BodyOneofCase.Offer)).Offer.TerminalKey.ToByteArray();
        Secrets.Add(code);
        AddSecret(Key);
        await client.DisconnectAsync();
        return Key;
    }

    /// <summary>Connects and logs in by challenge, up to synced. What came between welcome and synced stays in the inbox of the result.</summary>
    public async Task<IReadOnlyList<Downlink>> Login(bool connect = true)
    {
        if (connect)
        {
            await Connect();
        }

        await SendHello();
        var challenge = await Expect(Downlink.BodyOneofCase.Challenge);
        await Prove(challenge.Challenge.HubNonce.ToByteArray());
        return await UntilSynced();
    }

    /// <summary>The same terminal, after the hub has ended its session.</summary>
    public async Task<TestTerminal> LogsInAgain()
    {
        await Closed.Task.WaitAsync(Limit);
        var again = new TestTerminal(serialNumber, port, hardwareId) { Key = Key, Json = Json };
        await again.Login();
        return again;
    }

    public async Task Prove(byte[] nonce, byte[]? key = null)
    {
        hubNonce = nonce;
        Agree();
        var input = DeviceHub.Protocol.Login.ProofInput("mqtt", serialNumber, hardwareId, nonce, terminalNonce);
        await Send(new Uplink { Proof = new Proof { Mac = ByteString.CopyFrom(HMACSHA256.HashData(key ?? Key!, input)) } });
    }

    public async Task<IReadOnlyList<Downlink>> UntilSynced()
    {
        Welcome = (await Expect(Downlink.BodyOneofCase.Welcome)).Welcome;
        var missed = new List<Downlink>();
        while (true)
        {
            var message = await Next();
            if (message.BodyCase == Downlink.BodyOneofCase.Synced)
            {
                return missed;
            }

            missed.Add(message);
        }
    }

    public string NewRequestId() => $"{Welcome.RequestEpoch}-{++counter}";

    public PaymentRequest Request(ulong amountFen, string? orderNumber = null)
    {
        var request = new PaymentRequest
        {
            RequestId = NewRequestId(),
            AmountFen = amountFen,
            PaymentCode = $"13{RandomNumberGenerator.GetInt32(0, int.MaxValue):0000000000000000}",
            OrderNumber = orderNumber ?? "",
            AgeMs = 20,
            TimeToLiveMs = 30_000,
        };
        Secrets.Add(request.PaymentCode);
        return request;
    }

    /// <summary>Sends a payment as a good terminal would: sealed.</summary>
    public Task Pay(PaymentRequest request) => SendSealed(new Uplink { PaymentRequest = request });

    /// <summary>The scan that answers a charge.</summary>
    public PaymentRequest Answer(Collect collect)
    {
        var request = Request(collect.AmountFen, collect.OrderNumber);
        request.ChargeId = collect.ChargeId;
        return request;
    }

    /// <summary>Pays and waits for the outcome; other states on the way are skipped.</summary>
    public async Task<Outcome> PayForOutcome(PaymentRequest request)
    {
        await Pay(request);
        return await ExpectOutcome(request.RequestId);
    }

    public async Task<Outcome> ExpectOutcome(string requestId, TimeSpan? limit = null)
    {
        while (true)
        {
            var message = await Next(limit);
            if (message is { BodyCase: Downlink.BodyOneofCase.Outcome } && message.Outcome.RequestId == requestId)
            {
                return message.Outcome;
            }

            Assert.False(message.BodyCase == Downlink.BodyOneofCase.Refusal, $"refused: {message.Refusal}");
        }
    }

    public async Task<Refusal> ExpectRefusal() => (await Expect(Downlink.BodyOneofCase.Refusal)).Refusal;

    public Task Shown(Outcome outcome) =>
        SendSealed(new Uplink { OutcomeShown = new OutcomeShown { RequestId = outcome.RequestId, Revision = outcome.Revision } });

    public Task Send(Uplink message) => SendRaw(MessageCodec.Encode(message, Json ? WireEncoding.Json : WireEncoding.Protobuf));

    public Task SendSealed(Uplink message) => Send(new Uplink
    {
        Sealed = seal!.Seal(ByteString.CopyFrom(MessageCodec.Encode(message, Json ? WireEncoding.Json : WireEncoding.Protobuf))),
    });

    /// <summary>A refused login is cut before its PUBACK: that is no fault of the test, which looks at what was received.</summary>
    public async Task SendRaw(byte[] payload, string? topic = null, bool retain = false)
    {
        try
        {
            await client.PublishAsync(new MqttApplicationMessage
            {
                Topic = topic ?? Names.UpTopic(serialNumber),
                PayloadSegment = payload,
                QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                Retain = retain,
            });
        }
        catch (MQTTnet.Exceptions.MqttCommunicationException)
        {
        }
    }

    public async Task<Downlink> Expect(Downlink.BodyOneofCase kind)
    {
        var message = await Next();
        Assert.True(message.BodyCase == kind, $"expected {kind}, got {message}");
        return message;
    }

    public async Task<Downlink> Next(TimeSpan? limit = null)
    {
        using var timeout = new CancellationTokenSource(limit ?? Limit);
        return await inbox.Reader.ReadAsync(timeout.Token);
    }

    public bool TryNext(out Downlink? message) => inbox.Reader.TryRead(out message);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await client.DisconnectAsync();
        }
        catch (Exception e) when (e is MQTTnet.Exceptions.MqttCommunicationException or InvalidOperationException or ObjectDisposedException)
        {
            // It was cut before, which is what many tests want.
        }

        client.Dispose();
    }

    private void Agree()
    {
        sessionKey = HMACSHA256.HashData(Key!, DeviceHub.Protocol.Login.SealInput(serialNumber, hubNonce, terminalNonce));
        seal = new Sealer(sessionKey, SealDirection.Up);
        open = new Sealer(sessionKey, SealDirection.Down);
        AddSecret(sessionKey);
    }

    private void AddSecret(byte[] key)
    {
        Secrets.Add(Convert.ToHexString(key));
        Secrets.Add(Convert.ToBase64String(key));
    }

    private void Take(byte[] payload)
    {
        var error = MessageCodec.TryDecode(payload, out Downlink? message, out _);
        Assert.True(error.Ok, error.Detail);
        if (message!.BodyCase == Downlink.BodyOneofCase.Sealed)
        {
            Sealed++;
            Assert.Equal(SealFault.None, open!.Open(message.Sealed));
            error = MessageCodec.TryDecode(message.Sealed.Body.Span, out message, out _);
            Assert.True(error.Ok, error.Detail);
        }
        else if (message.BodyCase == Downlink.BodyOneofCase.Welcome && message.Welcome.HubNonce.Length > 0)
        {
            hubNonce = message.Welcome.HubNonce.ToByteArray();
            Agree();
        }

        inbox.Writer.TryWrite(message!);
    }
}
