using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>
/// Chance against the endpoint's whole connection loop, without a socket: no crash, no error log, no spin, and whatever the hub
/// answers is legal. <c>DEVICEHUB_FUZZ_INPUTS</c> sets the number of inputs (20,000 unless said), <c>DEVICEHUB_FUZZ_SEED</c> the first seed;
/// a failure names its seed, and that seed alone repeats it.
/// </summary>
public sealed class FuzzTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task The_corpus_itself_is_served_to_its_end()
    {
        using var run = new Run();
        foreach (var conversation in FuzzCorpus.Conversations)
        {
            byte[] stream = [.. conversation.SelectMany(p => p)];
            var sent = await run.Take(stream, new Random(1));
            Assert.Equal(conversation.Length > 6 ? 3 : 1, run.Received);
            Assert.DoesNotContain(sent, p => p[0] == 0xE0);
            Assert.Contains(sent, p => p[0] == 0xD0);
        }

        run.Ended();
    }

    [Fact]
    public async Task Mutated_conversations_end_in_a_legal_answer_or_a_cut()
    {
        var inputs = Setting("DEVICEHUB_FUZZ_INPUTS", 20_000);
        var first = Setting("DEVICEHUB_FUZZ_SEED", Random.Shared.Next());
        using var run = new Run();
        for (var seed = first; seed < first + inputs; seed++)
        {
            var random = new Random(seed);
            var stream = FuzzCorpus.Mutate(random);
            try
            {
                Judge(await run.Take(stream, random));
            }
            catch (Exception fault)
            {
                Assert.Fail($"DEVICEHUB_FUZZ_SEED={seed} DEVICEHUB_FUZZ_INPUTS=1: {Convert.ToHexString(stream)}\n{fault}");
            }
        }

        run.Ended();
    }

    /// <summary>What is no conversation at all never gets a word, and never more than its own bytes of work.</summary>
    [Fact]
    public async Task Noise_is_cut()
    {
        var first = Setting("DEVICEHUB_FUZZ_SEED", Random.Shared.Next());
        using var run = new Run();
        for (var seed = first; seed < first + 2_000; seed++)
        {
            var random = new Random(seed);
            var stream = new byte[random.Next(1, 200)];
            random.NextBytes(stream);
            Assert.True((await run.Take(stream, random)).Count == 0 || stream[0] == 0x10, $"DEVICEHUB_FUZZ_SEED={seed}: {Convert.ToHexString(stream)}");
        }

        run.Ended();
    }

    /// <summary>CONNACK first and once; only what a server sends; nothing after a refusal or a DISCONNECT.</summary>
    private static void Judge(List<byte[]> sent)
    {
        for (var i = 0; i < sent.Count; i++)
        {
            var packet = sent[i];
            Assert.Contains(packet[0], i == 0 ? [0x20] : new byte[] { 0x30, 0x32, 0x40, 0x90, 0xB0, 0xD0, 0xE0 });
            var ends = packet[0] == 0xE0 || (packet[0] == 0x20 && packet[3] != 0);
            Assert.True(!ends || i == sent.Count - 1, "something was sent after the end");
        }
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : otherwise;

    /// <summary>One endpoint for all inputs: what one of them leaves behind shows at the end.</summary>
    private sealed class Run : ITerminalSessions, ILogger<MqttEndpoint>, IDisposable
    {
        private readonly ConcurrentQueue<string> errors = new();
        private readonly MqttEndpoint endpoint;

        public Run()
        {
            var options = new MqttOptions { ConnectBurst = 1_000_000, MaxConnectionsNotLoggedInPerAddress = 1, PacketBurst = 1000 };
            endpoint = new MqttEndpoint(Options.Create(options), this, TimeProvider.System, this);
        }

        public int Received { get; private set; }

        public async Task<List<byte[]>> Take(byte[] stream, Random random)
        {
            Received = 0;
            var chunks = new ChunkStream(stream, random.Next(1, 64), random.Next());
            var input = PipeReader.Create(chunks, new StreamPipeReaderOptions(bufferSize: 16, minimumReadSize: 1));
            await using var transport = new MemoryTransport(input);
            await endpoint.EnterAsync(transport, endpoint.OnConnectedAsync, tls: false).WaitAsync(Limit);
            transport.Close();
            Assert.Empty(errors);
            Assert.True(chunks.Reads <= stream.Length + 2, $"{chunks.Reads} reads of {stream.Length} bytes");
            return await Split(transport.Output);
        }

        public void Ended()
        {
            Assert.Empty(errors);
            Assert.Equal(0, endpoint.ConnectionCount);
        }

        public void Dispose() => endpoint.Dispose();

        public ValueTask<bool> CheckToken(string serialNumber, string token, IWire wire) => ValueTask.FromResult(token == "token");

        public ITerminalSession Open(string serialNumber, string? token, IWire wire) => new Echo(this, wire);

        IDisposable? ILogger.BeginScope<TState>(TState state) => null;

        bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            errors.Enqueue($"{eventId.Name}: {formatter(state, exception)} {exception}");

        private static async Task<List<byte[]>> Split(PipeReader output)
        {
            var all = await output.ReadAtLeastAsync(int.MaxValue);
            var rest = all.Buffer.ToArray().AsSpan();
            var packets = new List<byte[]>();
            while (rest.Length > 0)
            {
                Assert.Equal(FrameResult.Whole, MqttFrame.TryRead(new ReadOnlySequence<byte>(rest.ToArray()), int.MaxValue, out var frame));
                packets.Add(rest[..(int)frame.TotalBytes].ToArray());
                rest = rest[(int)frame.TotalBytes..];
            }

            return packets;
        }

        /// <summary>Answers every message, some of them later.</summary>
        private sealed class Echo(Run run, IWire wire) : ITerminalSession
        {
            public async ValueTask Receive(ReadOnlyMemory<byte> payload)
            {
                run.Received++;
                if (payload.Length % 2 == 0)
                {
                    await Task.Yield();
                }

                wire.TrySend(payload.Span);
            }

            public void ReceiverReady() => wire.TrySend("ready"u8);

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    /// <summary>Gives the bytes in pieces of chance, so that packets lie across reads and segments.</summary>
    private sealed class ChunkStream(byte[] bytes, int most, int seed) : MemoryStream(bytes, writable: false)
    {
        private readonly Random random = new(seed);

        public int Reads { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Reads++;
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, most + 1))], cancellationToken);
        }
    }
}
