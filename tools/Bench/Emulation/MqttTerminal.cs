using System.Buffers;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Protocol;
using DeviceHub.Tools.Bench.Line;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace DeviceHub.Tools.Bench.Emulation;

/// <summary>An emulated terminal on a connection to a hub. Connects again by itself, 1 to 60 s later. Thread-safe.</summary>
internal sealed class MqttTerminal(EmulatedTerminal terminal, string serialNumber, string host, int port, string? caFile, Action<string> show) : ITerminalWire, IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(60);

    private readonly Lock gate = new();
    private readonly Queue<byte[]> outgoing = [];
    private readonly CancellationTokenSource stop = new();
    private CancellationTokenSource ended = new();
    private Task running = Task.CompletedTask;

    public string Name => "mqtt";

    private static long NowMs => (long)SerialLine.Now.TotalMilliseconds;

    public void Start() => running = Task.Run(Live);

    public void Do(Action<EmulatedTerminal, long> what)
    {
        lock (gate)
        {
            what(terminal, NowMs);
        }
    }

    public void PowerCut(bool factoryReset = false)
    {
        Do((t, now) =>
        {
            if (factoryReset)
            {
                t.FactoryReset(now);
            }
            else
            {
                t.PowerCut(now);
            }
        });
        Restart();
    }

    public bool TrySend(byte[] payload)
    {
        outgoing.Enqueue(payload);
        return true;
    }

    public void Restart() => ended.Cancel();

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
        ended.Dispose();
    }

    private async Task Live()
    {
        var wait = TimeSpan.FromSeconds(1);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Connect(() => wait = TimeSpan.FromSeconds(1));
            }
            catch (Exception e) when (e is MQTTnet.Exceptions.MqttCommunicationException or OperationCanceledException or IOException)
            {
                show(e is OperationCanceledException ? "the connection ended" : $"no network: {e.GetBaseException().Message}");
            }

            Do((t, _) => t.Disconnected());
            await Task.WhenAny(Task.Delay(wait, stop.Token));
            wait = wait * 2 < LongestBackOff ? wait * 2 : LongestBackOff;
        }
    }

    private async Task Connect(Action ready)
    {
        ended = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        using var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += e =>
        {
            lock (gate)
            {
                terminal.Receive(this, e.ApplicationMessage.Payload.ToArray(), NowMs);
            }

            return Task.CompletedTask;
        };
        client.DisconnectedAsync += _ => ended.CancelAsync();
        var options = new MqttClientOptionsBuilder().WithTcpServer(host, port).WithClientId(serialNumber).WithProtocolVersion(MqttProtocolVersion.V311)
            .WithCleanSession().WithKeepAlivePeriod(TimeSpan.FromSeconds(60)).WithTimeout(Limit);
        if (caFile is not null)
        {
            options.WithTlsOptions(tls => tls.UseTls().WithTrustChain(X509CertificateLoader.LoadCertificateFromFile(caFile) is var ca ? [ca] : []));
        }

        var answer = await client.ConnectAsync(options.Build(), ended.Token);
        if (answer.ResultCode != MqttClientConnectResultCode.Success)
        {
            throw new IOException($"the hub refused the connection: {answer.ResultCode}");
        }

        await client.SubscribeAsync(Names.DownTopic(serialNumber), MqttQualityOfServiceLevel.AtLeastOnce, ended.Token);
        Do((t, now) =>
        {
            outgoing.Clear();
            t.Connected(now);
        });
        using var timer = new PeriodicTimer(Tick);
        while (await timer.WaitForNextTickAsync(ended.Token))
        {
            foreach (var payload in Drain(ready))
            {
                await client.PublishBinaryAsync(Names.UpTopic(serialNumber), payload, MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: ended.Token);
            }
        }
    }

    private List<byte[]> Drain(Action ready)
    {
        lock (gate)
        {
            terminal.Poll(this, NowMs);
            if (terminal.IsReady)
            {
                ready();
            }

            var all = outgoing.ToList();
            outgoing.Clear();
            return all;
        }
    }
}
