using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>One connection of a terminal: MQTT, login, sealing, and the network's faults. It is over when <see cref="Ended"/> is.</summary>
internal sealed class TerminalSession : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly TerminalSetup setup;
    private readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();
    private readonly Channel<byte[]> inbox = Channel.CreateBounded<byte[]>(1024);
    private readonly SemaphoreSlim sending = new(1);
    private readonly CancellationTokenSource ended = new();
    private readonly long began = Stopwatch.GetTimestamp();
    private readonly byte[] nonce = RandomNumberGenerator.GetBytes(Login.NonceBytes);
    private Sealer? seal;
    private Sealer? open;

    public TerminalSession(TerminalSetup setup)
    {
        this.setup = setup;
        client.ApplicationMessageReceivedAsync += e =>
        {
            if (!inbox.Writer.TryWrite(e.ApplicationMessage.Payload.ToArray()))
            {
                ended.Cancel();
            }

            return Task.CompletedTask;
        };
        client.DisconnectedAsync += _ =>
        {
            HubClosed = !ended.IsCancellationRequested;
            return ended.CancelAsync();
        };
    }

    public CancellationToken Ended => ended.Token;

    /// <summary>It ended because the other side closed it, not by a fault of the network or of ours.</summary>
    public bool HubClosed { get; private set; }

    /// <summary>Since it began to connect.</summary>
    public TimeSpan Age => Stopwatch.GetElapsedTime(began);

    public Welcome Welcome { get; set; } = new();

    /// <summary>Of the challenge that was answered by an activation; its proof goes by the same.</summary>
    public ByteString HubNonce { get; private set; } = ByteString.Empty;

    /// <summary>Everything that was missed has come: scans may be taken.</summary>
    public bool Synced { get; set; }

    public async Task Connect(IEnumerable<string> openRequests, BootReason reason, CancellationToken cancellation)
    {
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer(setup.Host, setup.Port)
            .WithClientId(setup.SerialNumber)
            .WithProtocolVersion(MqttProtocolVersion.V311)
            .WithCleanSession()
            .WithKeepAlivePeriod(TimeSpan.FromSeconds(60))
            .WithTimeout(Limit);
        if (setup.Tls)
        {
            options.WithTlsOptions(Tls);
        }

        var answer = await client.ConnectAsync(options.Build(), cancellation);
        if (answer.ResultCode != MqttClientConnectResultCode.Success)
        {
            throw new TerminalException($"the hub refused the connection: {answer.ResultCode}");
        }

        await client.SubscribeAsync(Names.DownTopic(setup.SerialNumber), MqttQualityOfServiceLevel.AtLeastOnce, cancellation);
        var hello = new Hello
        {
            ProtocolVersion = 1,
            HardwareId = setup.HardwareId,
            BootReason = reason,
            Firmware = setup.Firmware,
            Model = setup.Model.Name,
            MaxMessageBytes = setup.Model.MaxMessageBytes,
            TextEncoding = setup.Model.TextEncoding,
            TextColumns = setup.Model.TextColumns,
            TerminalNonce = ByteString.CopyFrom(nonce),
        };
        hello.Capabilities.Add(setup.Model.Capabilities);
        hello.OpenRequestIds.Add(openRequests.Take(20));
        await Send(new Uplink { Hello = hello }, cancellation);
    }

    /// <summary>Answers the challenge with the terminal's key.</summary>
    public Task Prove(byte[] key, ByteString hubNonce, CancellationToken cancellation)
    {
        var sessionKey = HMACSHA256.HashData(key, Login.SealInput(setup.SerialNumber, hubNonce.Span, nonce));
        seal = new Sealer(sessionKey, SealDirection.Up);
        open = new Sealer(sessionKey, SealDirection.Down);
        var mac = HMACSHA256.HashData(key, Login.ProofInput("mqtt", setup.SerialNumber, setup.HardwareId, hubNonce.Span, nonce));
        return Send(new Uplink { Proof = new Proof { Mac = ByteString.CopyFrom(mac) } }, cancellation);
    }

    /// <summary>Answers the challenge with an activation code; the hub offers a key.</summary>
    public Task Activate(string code, ByteString hubNonce, CancellationToken cancellation)
    {
        HubNonce = hubNonce;
        return Send(new Uplink { Activate = new Activate { ActivationCode = code } }, cancellation);
    }

    /// <summary>The next downlink that may be acted upon; money only under a good seal, if this terminal seals.</summary>
    public async Task<Downlink> Next(CancellationToken cancellation)
    {
        while (true)
        {
            var bytes = await inbox.Reader.ReadAsync(cancellation);
            if (Synced && Random.Shared.NextDouble() < setup.Network.Lose)
            {
                continue;
            }

            await Delay(cancellation);
            if (!MessageCodec.TryDecode(bytes, out Downlink? message, out _).Ok)
            {
                throw new TerminalException("the hub sent a message that breaks the protocol");
            }

            if (message!.BodyCase != Downlink.BodyOneofCase.Sealed)
            {
                // A refusal without a request is of the session, and says nothing of money.
                if (setup.Model.Seals && (message.Refusal is { RequestId.Length: > 0 } || message.BodyCase is Downlink.BodyOneofCase.Accepted or Downlink.BodyOneofCase.InDoubt
                    or Downlink.BodyOneofCase.Outcome or Downlink.BodyOneofCase.Collect or Downlink.BodyOneofCase.CollectCancel))
                {
                    continue;
                }

                return message;
            }

            if (open?.Open(message.Sealed) == SealFault.None && MessageCodec.TryDecode(message.Sealed.Body.Span, out Downlink? inner, out _).Ok)
            {
                return inner!;
            }
        }
    }

    /// <summary>Sends one message, sealed if it is about money. It returns when the hub has the whole of it.</summary>
    /// <exception cref="OperationCanceledException">The connection ended.</exception>
    public async Task Send(Uplink message, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, Ended);
        await sending.WaitAsync(either.Token);
        try
        {
            var payload = MessageCodec.Encode(MessageRules.IsMoney(message.BodyCase) && setup.Model.Seals ? Seal(message) : message, setup.Model.Encoding);
            await Delay(either.Token);
            if (Synced && Random.Shared.NextDouble() < setup.Network.Lose)
            {
                return;
            }

            var times = Synced && Random.Shared.NextDouble() < setup.Network.Duplicate ? 2 : 1;
            for (var i = 0; i < times; i++)
            {
                either.CancelAfter(Limit);
                await client.PublishBinaryAsync(Names.UpTopic(setup.SerialNumber), payload, MqttQualityOfServiceLevel.AtLeastOnce, retain: false, either.Token);
            }
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            await ended.CancelAsync();
            throw new OperationCanceledException("the connection ended: " + e.Message, e);
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>The network goes away without a word.</summary>
    public void Break()
    {
        ended.Cancel();
        client.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        try
        {
            if (client.IsConnected)
            {
                await client.DisconnectAsync();
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The connection is given up in any case.
        }

        client.Dispose();
    }

    /// <summary>The hub's own CA is the only one trusted, and it publishes no list of revoked certificates.</summary>
    private void Tls(MqttClientTlsOptionsBuilder tls)
    {
        tls.UseTls();
        if (setup.PinnedCa is { } ca)
        {
            tls.WithTrustChain([ca]).WithRevocationMode(X509RevocationMode.NoCheck);
        }
        else
        {
            tls.WithCertificateValidationHandler(_ => true);
        }
    }

    private Uplink Seal(Uplink message) => new() { Sealed = seal!.Seal(ByteString.CopyFrom(MessageCodec.Encode(message, setup.Model.Encoding))) };

    private Task Delay(CancellationToken cancellation) => Synced && setup.Network.MaxDelay > TimeSpan.Zero
        ? Task.Delay(setup.Network.MaxDelay * Random.Shared.NextDouble(), cancellation)
        : Task.CompletedTask;
}

/// <summary>The hub did what a terminal cannot go on with; it connects again later.</summary>
public sealed class TerminalException(string message) : Exception(message);
