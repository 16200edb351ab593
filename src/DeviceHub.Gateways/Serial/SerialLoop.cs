using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Gateways.Serial;

/// <summary>Something with a descriptor that the loop serves. Every member is called on the loop's thread and must not wait.</summary>
internal interface ILoopPort
{
    int Descriptor { get; }

    /// <summary>Milliseconds of <see cref="SerialLoop.NowMs"/> when <see cref="Tick"/> is wanted at the latest.</summary>
    long NextTick { get; }

    /// <summary>Bytes wait to be sent.</summary>
    bool WantsToWrite { get; }

    /// <summary>The port is served from now on.</summary>
    /// <exception cref="PortException">The port is gone.</exception>
    void Begin(long nowMs);

    /// <exception cref="PortException">The port is gone.</exception>
    void Readable(long nowMs);

    /// <exception cref="PortException">The port is gone.</exception>
    void Writable(long nowMs);

    /// <exception cref="PortException">The port is gone.</exception>
    void Tick(long nowMs);

    /// <summary>The port is served no more. Null: it was removed.</summary>
    void Ended(PortException? why);
}

/// <summary>
/// One thread for all serial ports of the process: it waits for bytes and times, and never for a port, since no descriptor blocks. So a stuck
/// port delays no other, and 64 ports cost what their bytes cost.
/// </summary>
internal sealed unsafe partial class SerialLoop : IDisposable
{
    private const int MaxEvents = 64;
    private const uint In = 1, Out = 4, Error = 8, HangUp = 0x10;
    private const int Add = 1, Remove = 2, Modify = 3;
    private const int LongestWaitMs = 60_000;
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly int epoll;
    private readonly int wake;
    private readonly ConcurrentQueue<Action> posted = new();
    private readonly Dictionary<int, (ILoopPort Port, bool Writes)> ports = [];
    private readonly List<int> present = [];
    private readonly Thread thread;
    private readonly Lock closing = new();
    private volatile bool stopping;
    private bool closed;

    public SerialLoop(TimeProvider time, ILogger log)
    {
        this.time = time;
        this.log = log;
        epoll = epoll_create1(0x80000);
        wake = eventfd(0, 0x80000 | 0x800);
        if (epoll < 0 || wake < 0)
        {
            throw new IOException("epoll: " + Libc.Words(Libc.LastError));
        }

        Control(Add, wake, In);
        thread = new Thread(Run) { IsBackground = true, Name = "serial" };
        thread.Start();
    }

    /// <summary>A clock that only grows.</summary>
    public long NowMs => (long)(time.GetTimestamp() * 1000.0 / time.TimestampFrequency);

    /// <summary>Runs an action on the loop's thread, soon. It must not wait.</summary>
    public void Post(Action action)
    {
        posted.Enqueue(action);
        Wake();
    }

    public void Serve(ILoopPort port) => Post(() =>
    {
        ports[port.Descriptor] = (port, false);
        Control(Add, port.Descriptor, In);
        Guarded(port, () => port.Begin(NowMs));
    });

    public void Drop(ILoopPort port) => Post(() => End(port, null));

    public void Dispose()
    {
        if (stopping)
        {
            // A number that was closed may be another's by now.
            return;
        }

        stopping = true;
        Wake();
        thread.Join();
        lock (closing)
        {
            closed = true;
            Libc.Close(wake);
            Libc.Close(epoll);
        }
    }

    private void Wake()
    {
        Span<byte> one = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(one, 1);
        lock (closing)
        {
            if (!closed)
            {
                _ = Libc.Write(wake, one);
            }
        }
    }

    private void Run()
    {
        Span<byte> events = stackalloc byte[MaxEvents * 16];
        while (!stopping)
        {
            int count;
            fixed (byte* p = events)
            {
                count = epoll_wait(epoll, p, MaxEvents, Wait());
            }

            while (posted.TryDequeue(out var action))
            {
                Guarded(null, action);
            }

            for (var i = 0; i < count; i++)
            {
                var e = events[(i * Stride)..];
                Happened((int)BinaryPrimitives.ReadInt64LittleEndian(e[(Stride - 8)..]), BinaryPrimitives.ReadUInt32LittleEndian(e));
            }

            TickAll();
        }

        foreach (var (port, _) in ports.Values.ToArray())
        {
            End(port, null);
        }
    }

    private int Wait()
    {
        var next = NowMs + LongestWaitMs;
        foreach (var (port, _) in ports.Values)
        {
            next = Math.Min(next, port.NextTick);
        }

        return (int)Math.Max(0, next - NowMs);
    }

    private void Happened(int fd, uint events)
    {
        if (fd == wake)
        {
            Span<byte> count = stackalloc byte[sizeof(ulong)];
            _ = Libc.Read(wake, count);
            return;
        }

        if (!ports.TryGetValue(fd, out var known))
        {
            return;
        }

        Guarded(known.Port, () =>
        {
            if ((events & (In | Error | HangUp)) != 0)
            {
                // A port that hung up says so when it is read.
                known.Port.Readable(NowMs);
            }

            if ((events & Out) != 0)
            {
                known.Port.Writable(NowMs);
            }
        });
    }

    private void TickAll()
    {
        present.AddRange(ports.Keys);
        var now = NowMs;
        foreach (var fd in present)
        {
            if (!ports.TryGetValue(fd, out var known))
            {
                continue;
            }

            if (now >= known.Port.NextTick)
            {
                Guarded(known.Port, () => known.Port.Tick(now));
            }

            if (ports.ContainsKey(fd) && known.Port.WantsToWrite != known.Writes)
            {
                ports[fd] = (known.Port, !known.Writes);
                Control(Modify, fd, known.Writes ? In : In | Out);
            }
        }

        present.Clear();
    }

    private void Guarded(ILoopPort? port, Action action)
    {
        try
        {
            action();
        }
        catch (PortException e) when (port is not null)
        {
            End(port, e);
        }
        catch (Exception e)
        {
            // The thread is all ports': a fault in one ends that one.
            LogFault(log, e);
            if (port is not null)
            {
                End(port, new PortException(PortFault.Other, "a fault of the hub"));
            }
        }
    }

    private void End(ILoopPort port, PortException? why)
    {
        if (ports.Remove(port.Descriptor))
        {
            Control(Remove, port.Descriptor, 0);
            port.Ended(why);
        }
    }

    private void Control(int operation, int fd, uint events)
    {
        Span<byte> e = stackalloc byte[16];
        e.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(e, events);
        BinaryPrimitives.WriteInt64LittleEndian(e[(Stride - 8)..], fd);
        fixed (byte* p = e)
        {
            if (epoll_ctl(epoll, operation, fd, p) < 0 && operation == Add && fd != wake)
            {
                End(ports[fd].Port, new PortException(PortFault.NotAPort, "it cannot be waited for: " + Libc.Words(Libc.LastError)));
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A fault in the loop of serial ports", EventName = "SerialLoopFault")]
    private static partial void LogFault(ILogger log, Exception error);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, byte* e);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, byte* events, int maxEvents, int timeoutMs);
}
