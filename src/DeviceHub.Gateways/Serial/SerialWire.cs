using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;

namespace DeviceHub.Gateways.Serial;

/// <summary>Where a terminal on a port is, as logs and its record say it.</summary>
internal sealed class PortEndPoint(string port) : EndPoint
{
    public override string ToString() => $"serial:{port}";
}

/// <summary>What a wire is of: a port with a terminal, or with a scanner that the hub is the terminal for.</summary>
internal interface IWireOwner
{
    EndPoint Remote { get; }

    /// <summary>From any thread: a session has something to send.</summary>
    void Pump(SerialWire of);

    /// <summary>From any thread: a session, or the hub, ends this wire's life.</summary>
    void EndSession(SerialWire of, CutReason reason);

    /// <summary>From any thread: the session failed.</summary>
    void Faulted(SerialWire of, Exception error);
}

/// <summary>
/// One life of a link as its session sees it. The loop hands payloads in and takes payloads out; the session runs on the thread pool, so that the loop
/// waits for nobody.
/// </summary>
internal sealed class SerialWire(IWireOwner port, string serialNumber, int maxMessageBytes, SerialOptions options, ITerminalSessions sessions) : IWire
{
    private readonly Channel<byte[]> inbox = Channel.CreateUnbounded<byte[]>(new() { SingleReader = true, SingleWriter = true });
    private readonly ConcurrentQueue<byte[]> outbox = new();
    private int inFlight;
    private int queued;
    private int queuedBytes;
    private int cut;

    public string SerialNumber => serialNumber;

    public string Name => "serial";

    public EndPoint? Remote => port.Remote;

    /// <summary>A cable within a store: whoever can listen to it has a hand on the terminal and its key. So a terminal may be activated over it.</summary>
    public bool Secure => true;

    public bool CanReceive => true;

    public int MaxMessageBytes => maxMessageBytes;

    public bool IsLoggedIn { get; private set; }

    /// <summary>Messages that the session is handling.</summary>
    public int Handling => Volatile.Read(ref inFlight);

    public bool HasRoom => Handling < options.MaxInFlight;

    private bool IsCut => Volatile.Read(ref cut) != 0;

    public bool TrySend(ReadOnlySpan<byte> payload)
    {
        if (IsCut)
        {
            return false;
        }

        if (payload.Length > maxMessageBytes)
        {
            // No frame takes it: kept, it would hold up all that comes after it.
            SerialMetrics.TooLarge.Add(1);
            return true;
        }

        if (Interlocked.Increment(ref queued) > options.MaxQueuedMessages || Interlocked.Add(ref queuedBytes, payload.Length) > options.MaxQueuedBytes)
        {
            Cut(CutReason.SlowReader);
            return false;
        }

        outbox.Enqueue(payload.ToArray());
        port.Pump(this);
        return true;
    }

    public void LoggedIn() => IsLoggedIn = true;

    public void Cut(CutReason reason)
    {
        if (Interlocked.Exchange(ref cut, 1) == 0)
        {
            port.EndSession(this, reason);
        }
    }

    /// <summary>The loop: the next payload to be sent; null: none.</summary>
    public byte[]? Next() => outbox.TryPeek(out var payload) ? payload : null;

    /// <summary>The loop: the next payload was sent.</summary>
    public void Sent()
    {
        if (outbox.TryDequeue(out var payload))
        {
            Interlocked.Decrement(ref queued);
            Interlocked.Add(ref queuedBytes, -payload.Length);
        }
    }

    /// <summary>The loop: a payload came. There is room for it.</summary>
    public void Take(ReadOnlySpan<byte> payload)
    {
        Interlocked.Increment(ref inFlight);
        inbox.Writer.TryWrite(payload.ToArray());
    }

    /// <summary>The loop: the link is down.</summary>
    public void Close()
    {
        Volatile.Write(ref cut, 1);
        inbox.Writer.TryComplete();
    }

    /// <summary>The session's life. What came whole is handled, also when the link is down meanwhile.</summary>
    public async Task RunAsync()
    {
        ITerminalSession? session = null;
        try
        {
            session = sessions.Open(serialNumber, null, this);
            await foreach (var payload in inbox.Reader.ReadAllAsync())
            {
                var handling = session.Receive(payload);
                if (handling.IsCompletedSuccessfully)
                {
                    Interlocked.Decrement(ref inFlight);
                }
                else
                {
                    _ = Finish(handling);
                }
            }
        }
        catch (Exception e)
        {
            port.Faulted(this, e);
        }
        finally
        {
            if (session is not null)
            {
                await session.DisposeAsync();
            }
        }
    }

    private async Task Finish(ValueTask handling)
    {
        try
        {
            await handling;
        }
        catch (Exception e)
        {
            port.Faulted(this, e);
        }
        finally
        {
            Interlocked.Decrement(ref inFlight);
        }
    }
}
