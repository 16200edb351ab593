using System.Collections.Concurrent;
using System.Threading.Channels;
using DeviceHub.Gateways;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>Sessions that record what the endpoint gives them and do what a test says: the wire is what is tested.</summary>
internal sealed class RecordingSessions : ITerminalSessions
{
    public const string RightToken = "right", SlowToken = "slow", FaultyToken = "faulty";

    private readonly ConcurrentDictionary<string, RecordingSession> sessions = new();

    /// <summary>Completed when a slow token is being judged.</summary>
    public TaskCompletionSource JudgesSlowToken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<bool> SlowVerdict { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask<bool> CheckToken(string serialNumber, string token, IWire wire)
    {
        if (token == FaultyToken)
        {
            throw new InvalidOperationException("the store of keys is down");
        }

        if (token == SlowToken)
        {
            JudgesSlowToken.TrySetResult();
            return await SlowVerdict.Task;
        }

        return token == RightToken;
    }

    public ITerminalSession Open(string serialNumber, string? token, IWire wire)
    {
        wire.LoggedIn();
        return sessions[serialNumber] = new RecordingSession(wire, token);
    }

    /// <summary>The newest session; there is one as soon as the client has its CONNACK.</summary>
    public RecordingSession Of(string serialNumber) => sessions[serialNumber];

    public bool Has(string serialNumber) => sessions.ContainsKey(serialNumber);
}

internal sealed class RecordingSession(IWire wire, string? token) : ITerminalSession
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Channel<string> received = Channel.CreateBounded<string>(1000);
    private readonly List<TaskCompletionSource> held = [];

    public IWire Wire => wire;

    public string? Token => token;

    /// <summary>From now on each message is being handled until <see cref="Release"/>.</summary>
    public bool Holds { get; set; }

    public bool Throws { get; set; }

    public int TimesReady { get; private set; }

    public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ValueTask Receive(ReadOnlyMemory<byte> payload)
    {
        if (Throws)
        {
            throw new InvalidOperationException("a fault in a session");
        }

        if (!Holds)
        {
            received.Writer.TryWrite(System.Text.Encoding.UTF8.GetString(payload.Span));
            return ValueTask.CompletedTask;
        }

        var handling = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (held)
        {
            held.Add(handling);
        }

        received.Writer.TryWrite(System.Text.Encoding.UTF8.GetString(payload.Span));
        return new ValueTask(handling.Task);
    }

    public void ReceiverReady() => TimesReady++;

    public ValueTask DisposeAsync()
    {
        Disposed.TrySetResult();
        received.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>The next message, as text.</summary>
    public async Task<string> Next()
    {
        using var limit = new CancellationTokenSource(Limit);
        return await received.Reader.ReadAsync(limit.Token);
    }

    public bool HasMore => received.Reader.TryPeek(out _);

    /// <summary>Ends the handling of the held message with this number, from 0.</summary>
    public void Release(int number)
    {
        lock (held)
        {
            held[number].SetResult();
        }
    }
}
