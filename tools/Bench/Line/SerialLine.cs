using System.Diagnostics;
using System.IO.Ports;

namespace DeviceHub.Tools.Bench.Line;

/// <summary>Bytes that went over a line at a moment since the tool began.</summary>
/// <param name="FromTerminal">Which way.</param>
internal readonly record struct LineBytes(bool FromTerminal, ReadOnlyMemory<byte> Bytes, TimeSpan At);

/// <summary>A serial port of this machine: 8N1, raw, no flow control. Reading begins with <see cref="Start"/>.</summary>
internal sealed class SerialLine : IDisposable
{
    /// <summary>A port that takes nothing for so long is lost: one that was unplugged may never answer. A thread of the runtime writes, which a busy machine lets wait for seconds.</summary>
    private const int LongestWriteMs = 10_000;

    /// <summary>That the file of a port whose line was hung up may take to go.</summary>
    private static readonly TimeSpan ToVanish = TimeSpan.FromMilliseconds(300);

    private const int NoPermission = 13;
    private const int Busy = 16;
    private const int NotATerminal = 25;

    private static readonly long Began = Stopwatch.GetTimestamp();

    private readonly SerialPort port;
    private readonly bool isTerminal;
    private readonly CancellationTokenSource closing = new();
    private readonly Lock writing = new();
    private Task reading = Task.CompletedTask;

    private SerialLine(SerialPort port, bool isTerminal)
    {
        this.port = port;
        this.isTerminal = isTerminal;
    }

    /// <summary>Of this process, since the first line was used; never jumps.</summary>
    public static TimeSpan Now => Stopwatch.GetElapsedTime(Began);

    public string Path => port.PortName;

    /// <summary>Everything that passes, both ways; called on the thread that reads or writes.</summary>
    public Action<LineBytes>? Tap { get; set; }

    /// <summary>What the line does to bytes; null: it is as good as it is.</summary>
    public LineNoise? Noise { get; set; }

    /// <summary>In baud. One that the port does not take ends the line: it is set by a timer too, which nobody would catch.</summary>
    public int Rate
    {
        get => port.BaudRate;
        set
        {
            try
            {
                port.BaudRate = value;
            }
            catch (Exception e) when (IsLoss(e) || e is ArgumentOutOfRangeException)
            {
                ended.TrySetResult(IsThere(Path) ? (Phrase)$"{value} baud: {e.GetBaseException().Message}" : WhyLost(Path, e));
            }
        }
    }

    /// <summary>Completes when the line was lost, with what happened, or when it was closed here (null).</summary>
    public Task<Phrase?> Ended => ended.Task;

    private readonly TaskCompletionSource<Phrase?> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="isTerminal">This end is the terminal's.</param>
    public static SerialLine Open(string path, int baud, bool isTerminal = false)
    {
        if (!File.Exists(path))
        {
            throw Directory.Exists(path) ? new PortException($"{path}: a folder, no serial port") : new PortException($"{path}: not there; is it plugged in? (devicehub-bench ports)");
        }

        var port = new SerialPort(path, baud, Parity.None, 8, StopBits.One) { Handshake = Handshake.None, WriteTimeout = LongestWriteMs };
        try
        {
            port.Open();
            return new SerialLine(port, isTerminal);
        }
        catch (UnauthorizedAccessException e)
        {
            port.Dispose();
            throw new PortException($"{path}: {Why(e.GetBaseException())}");
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException)
        {
            port.Dispose();
            throw new PortException($"{path}: no serial port, or not working: {e.GetBaseException().Message}");
        }
    }

    /// <summary>The runtime tells the kernel's answers apart by their number alone.</summary>
    private static Phrase Why(Exception e) => e.HResult switch
    {
        NotATerminal => (Phrase)"no serial port, but a file or something else",
        Busy => (Phrase)"in use by another program",
        NoPermission => (Phrase)"no permission; are you in the group dialout?",
        _ => (Phrase)$"{e.Message}; in use by another program, or no permission?",
    };

    public void Start(Action<ReadOnlyMemory<byte>, TimeSpan> received) => reading = Task.Run(() => Read(received));

    /// <summary>Bytes for the other end. Of a line that was lost nothing is told here, but by <see cref="Ended"/>.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (ended.Task.IsCompleted)
        {
            return;
        }

        var sent = Noise is { } noise ? noise.Apply(bytes) : bytes.ToArray();
        lock (writing)
        {
            try
            {
                Tap?.Invoke(new LineBytes(isTerminal, sent, Now));
                port.BaseStream.Write(sent);
            }
            catch (Exception e) when (IsLoss(e))
            {
                ended.TrySetResult(WhyLost(Path, e));
            }
        }
    }

    public void Dispose()
    {
        if (closing.IsCancellationRequested)
        {
            return;
        }

        closing.Cancel();
        ended.TrySetResult(null);
        try
        {
            port.Dispose();
        }
        catch (IOException)
        {
            // It was unplugged.
        }

        reading.Wait(TimeSpan.FromSeconds(2));
    }

    private async Task Read(Action<ReadOnlyMemory<byte>, TimeSpan> received)
    {
        var buffer = new byte[4096];
        try
        {
            while (!closing.IsCancellationRequested)
            {
                var length = await port.BaseStream.ReadAsync(buffer, closing.Token);
                if (length == 0)
                {
                    ended.TrySetResult(await WhyLost(null));
                    return;
                }

                var bytes = Noise is { } noise ? noise.Apply(buffer.AsSpan(0, length)) : buffer.AsMemory(0, length);
                var at = Now;
                Tap?.Invoke(new LineBytes(!isTerminal, bytes, at));
                received(bytes, at);
            }
        }
        catch (Exception e) when (IsLoss(e))
        {
            ended.TrySetResult(await WhyLost(e));
        }
    }

    /// <summary>The kernel hangs a line up before it takes the port's file away: an unplugged one is still there for some milliseconds.</summary>
    private async Task<Phrase?> WhyLost(Exception? e)
    {
        for (var from = Now; !closing.IsCancellationRequested && IsThere(Path) && Now - from < ToVanish; await Task.Delay(20))
        {
        }

        return closing.IsCancellationRequested ? null : WhyLost(Path, e);
    }

    /// <summary>What ended a line, in words.</summary>
    /// <param name="e">What reading or writing threw; null: it read the end.</param>
    public static Phrase WhyLost(string path, Exception? e) => e switch
    {
        _ when !IsThere(path) => (Phrase)"the port is not there any more: it was unplugged, or taken away",
        null or OperationCanceledException => (Phrase)"the other end hung up, or the port was plugged in again",
        TimeoutException => (Phrase)$"the port has taken nothing for {LongestWriteMs / 1000} s: it hangs, or whatever is behind it does not read",
        UnauthorizedAccessException => (Phrase)$"the system does not allow it any more: {e.Message}",
        _ => (Phrase)$"reading or writing failed: {e.GetBaseException().Message}",
    };

    /// <summary>Not a link that leads nowhere either, as udev and socat may leave behind.</summary>
    private static bool IsThere(string path) => File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is not { Exists: false };

    private static bool IsLoss(Exception e) => e is IOException or InvalidOperationException or OperationCanceledException or UnauthorizedAccessException or TimeoutException;
}
