using System.Buffers;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using DeviceHub.Gateways;
using DeviceHub.Protocol;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>Why there is no connection with the hub.</summary>
/// <param name="Reason">What the terminal is told.</param>
/// <param name="Words">For people; of the library or the hub.</param>
/// <param name="ByHub">The hub refused or ended it, not the network.</param>
internal sealed record HubEnd(CutReason Reason, string Words, bool ByHub);

/// <summary>
/// One MQTT connection for one life of a terminal's link: connects, subscribes, carries payloads as they are, asks whether the hub is there, and ends once.
/// </summary>
internal sealed class HubConnection : IAsyncDisposable
{
    /// <summary>A hub's own least.</summary>
    private const int LeastKeepAliveSeconds = 15;

    /// <summary>Publishes; a hub may allow fewer.</summary>
    private const int MostUnacknowledged = 16;

    /// <summary>Around a payload and its topic in a PUBLISH.</summary>
    private const int PublishOverhead = 10;

    /// <summary>What came whole from a terminal that is gone is given so long to reach the hub.</summary>
    private static readonly TimeSpan LastPublishes = TimeSpan.FromSeconds(2);

    private readonly RemoteHubOptions options;
    private readonly X509Certificate2Collection? ca;
    private readonly int maxMessageBytes;
    private readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();
    private readonly Channel<(byte[] Payload, TaskCompletionSource Done)> uplinks = Channel.CreateUnbounded<(byte[], TaskCompletionSource)>(new() { SingleReader = true });
    private readonly CancellationTokenSource over = new();
    private readonly Lock gate = new();
    private SemaphoreSlim room = new(0);
    private int mostUnacknowledged;
    private Task pumping = Task.CompletedTask;
    private HubEnd? end;
    private IWire? wire;

    /// <param name="options">Where the hub is.</param>
    /// <param name="ca">The only roots that are trusted; null: this machine's.</param>
    /// <param name="serialNumber">The terminal's.</param>
    /// <param name="maxMessageBytes">The largest payload that the terminal's line takes.</param>
    public HubConnection(RemoteHubOptions options, X509Certificate2Collection? ca, string serialNumber, int maxMessageBytes)
    {
        this.options = options;
        this.ca = ca;
        this.maxMessageBytes = maxMessageBytes;
        SerialNumber = serialNumber;
        client.ApplicationMessageReceivedAsync += e =>
        {
            var payload = e.ApplicationMessage.Payload;
            wire?.TrySend(payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray());
            return Task.CompletedTask;
        };
        client.DisconnectedAsync += e =>
        {
            End(OfDisconnect(e));
            return Task.CompletedTask;
        };
    }

    /// <summary>It ended, and not because its terminal's link was over.</summary>
    public Action<HubConnection, HubEnd>? Over { get; init; }

    public string SerialNumber { get; }

    public int MaxMessageBytes => maxMessageBytes;

    /// <summary>Subscribed: the terminal's session may begin.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Why it is over; null: it is not.</summary>
    public HubEnd? Ended
    {
        get
        {
            lock (gate)
            {
                return end;
            }
        }
    }

    /// <summary>Connects and subscribes; then <see cref="IsReady"/> or <see cref="Ended"/>.</summary>
    public async Task Open()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        limit.CancelAfter(TimeSpan.FromSeconds(options.AnswerSeconds));
        try
        {
            var answer = await client.ConnectAsync(ConnectOptions(), limit.Token);
            if (answer.ResultCode != MqttClientConnectResultCode.Success)
            {
                End(new HubEnd(CutReason.HubLost, $"{answer.ResultCode} (0x{(int)answer.ResultCode:X2})", ByHub: true));
                return;
            }

            mostUnacknowledged = Math.Min((int?)answer.ReceiveMaximum ?? MostUnacknowledged, MostUnacknowledged);
            room = new SemaphoreSlim(mostUnacknowledged);
            await client.SubscribeAsync(Names.DownTopic(SerialNumber), MqttQualityOfServiceLevel.AtLeastOnce, limit.Token);
            pumping = Task.Run(Pump);
            _ = Task.Run(AskWhetherItIsThere);
            IsReady = true;
        }
        catch (Exception e) when (IsOfTheConnection(e))
        {
            End(new HubEnd(CutReason.HubLost, e is OperationCanceledException ? $"no answer within {options.AnswerSeconds} s" : Words(e), ByHub: false));
        }
    }

    /// <summary>What comes down from now on, and the end, is the wire's.</summary>
    public void Attach(IWire to)
    {
        HubEnd? already;
        lock (gate)
        {
            wire = to;
            already = end;
        }

        if (already is not null)
        {
            to.Cut(already.Reason);
        }
    }

    /// <summary>Publishes in the order of the calls. Completes when the hub has the whole of it, or will never have it from here.</summary>
    public async ValueTask Publish(ReadOnlyMemory<byte> payload)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (uplinks.Writer.TryWrite((payload.ToArray(), done)))
        {
            await using (over.Token.Register(() => done.TrySetResult()))
            {
                await done.Task;
            }
        }
    }

    /// <summary>The terminal's link is over.</summary>
    public async ValueTask DisposeAsync()
    {
        uplinks.Writer.TryComplete();
        await Task.WhenAny(pumping, Task.Delay(LastPublishes));
        try
        {
            if (client.IsConnected)
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                await client.DisconnectAsync(new MqttClientDisconnectOptions(), limit.Token);
            }
        }
        catch (Exception e) when (IsOfTheConnection(e))
        {
            // The network is gone: there is nobody to tell.
        }

        End(null);
    }

    private MqttClientOptions ConnectOptions()
    {
        var builder = new MqttClientOptionsBuilder()
            .WithTcpServer(options.Host, options.Port)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithClientId(SerialNumber)
            .WithCredentials("serial/" + SerialNumber)
            .WithCleanStart()
            .WithMaximumPacketSize((uint)(maxMessageBytes + Names.DownTopic(SerialNumber).Length + PublishOverhead))
            .WithKeepAlivePeriod(TimeSpan.FromSeconds(Math.Max(LeastKeepAliveSeconds, 3 * options.AskEverySeconds)))
            .WithTimeout(TimeSpan.FromSeconds(options.AnswerSeconds));
        if (options.Tls)
        {
            builder.WithTlsOptions(tls =>
            {
                tls.UseTls();
                if (ca is not null)
                {
                    // A hub's own CA publishes no list of revoked certificates.
                    tls.WithTrustChain(ca).WithRevocationMode(X509RevocationMode.NoCheck);
                }
            });
        }

        return builder.Build();
    }

    private async Task Pump()
    {
        try
        {
            await foreach (var (payload, done) in uplinks.Reader.ReadAllAsync(over.Token))
            {
                await room.WaitAsync(over.Token);
                _ = PublishOne(payload, done);
            }

            // Until all of them are acknowledged.
            for (var i = 0; i < mostUnacknowledged; i++)
            {
                await room.WaitAsync(over.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The connection is over.
        }
    }

    private async Task PublishOne(byte[] payload, TaskCompletionSource done)
    {
        try
        {
            await client.PublishAsync(
                new MqttApplicationMessage { Topic = Names.UpTopic(SerialNumber), PayloadSegment = payload, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce },
                over.Token);
        }
        catch (Exception e) when (IsOfTheConnection(e))
        {
            End(new HubEnd(CutReason.HubLost, Words(e), ByHub: false));
        }

        room.Release();
        done.TrySetResult();
    }

    /// <summary>A line that is cut without a word answers nothing, and publishes alone would not tell: their PUBACK may wait for the hub's work.</summary>
    private async Task AskWhetherItIsThere()
    {
        try
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.AskEverySeconds));
            while (await timer.WaitForNextTickAsync(over.Token))
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
                limit.CancelAfter(TimeSpan.FromSeconds(options.AnswerSeconds));
                await client.PingAsync(limit.Token);
            }
        }
        catch (Exception e) when (IsOfTheConnection(e))
        {
            End(new HubEnd(CutReason.HubLost, $"no answer within {options.AnswerSeconds} s", ByHub: false));
        }
    }

    /// <summary>The first end counts: what waits is given up, and the terminal is told.</summary>
    /// <param name="why">Null: it is not wanted any more.</param>
    private void End(HubEnd? why)
    {
        IWire? told;
        lock (gate)
        {
            if (end is not null)
            {
                return;
            }

            end = why ?? new HubEnd(CutReason.HubLost, "", ByHub: false);
            told = wire;
        }

        told?.Cut(end.Reason);
        over.Cancel();

        // Not here: this may be a call of the client's own.
        _ = Task.Run(client.Dispose);
        if (why is not null)
        {
            Over?.Invoke(this, why);
        }
    }

    private string Words(Exception e) => e.GetBaseException() is AuthenticationException
        ? $"its certificate is not signed by the CA of Hub:CaFile, or does not name {options.Host}"
        : e.GetBaseException().Message;

    private static bool IsOfTheConnection(Exception e) =>
        e is MqttCommunicationException or MqttClientDisconnectedException or OperationCanceledException or InvalidOperationException or ObjectDisposedException;

    private HubEnd OfDisconnect(MqttClientDisconnectedEventArgs e)
    {
        var code = (byte)e.Reason;
        CutReason? told = code switch
        {
            <= 0x80 => null,
            0x81 or 0x82 or 0x8C or 0x90 or 0x94 or 0x9A or 0x9B or 0xA1 => CutReason.ProtocolError,
            0x87 => CutReason.Credentials,
            0x88 or 0x8B => CutReason.Stopping,
            0x8D => CutReason.KeepAlive,
            0x8E => CutReason.TakenOver,
            0x95 => CutReason.TooLarge,
            0x96 => CutReason.TooFast,
            0x97 => CutReason.SlowReader,
            0x98 => CutReason.Administrative,
            _ => CutReason.Fault,
        };
        return told is { } reason
            ? new HubEnd(reason, $"{e.Reason} (0x{code:X2})", ByHub: true)
            : new HubEnd(CutReason.HubLost, e.Exception is { } fault ? Words(fault) : "the connection was closed", ByHub: false);
    }
}
