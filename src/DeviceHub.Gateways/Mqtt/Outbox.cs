using System.Buffers;
using System.IO.Pipelines;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>
/// The connection's writer. Bytes go straight into the transport's pipe while it takes them; only while a flush stands still do
/// they wait here, bounded in messages and bytes. Nothing is held, and no task runs, while there is nothing to write.
/// </summary>
internal sealed class Outbox(PipeWriter output, int maxMessages, int maxBytes, TimeProvider time)
{
    private readonly Lock _gate = new();
    private byte[]? _waiting;
    private int _waitingBytes;
    private int _waitingMessages;
    private bool _flushing;
    private bool _dirty;
    private bool _closed;
    private long _flushingSince;

    /// <summary>Since when sending has stood still; null: it does not.</summary>
    public TimeSpan? StandingStill
    {
        get
        {
            lock (_gate)
            {
                return _flushing ? time.GetElapsedTime(_flushingSince) : null;
            }
        }
    }

    /// <summary>False: closed, or full.</summary>
    public bool TryWrite(ReadOnlySpan<byte> packet)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            if (!_flushing)
            {
                output.Write(packet);
                _dirty = true;
                return true;
            }

            if (_waitingMessages >= maxMessages || _waitingBytes + packet.Length > maxBytes)
            {
                return false;
            }

            Grow(_waitingBytes + packet.Length);
            packet.CopyTo(_waiting.AsSpan(_waitingBytes));
            _waitingBytes += packet.Length;
            _waitingMessages++;
            return true;
        }
    }

    /// <summary>Sends what was written. One flush serves all packets written since the last.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_closed || _flushing || !_dirty)
            {
                return;
            }

            _dirty = false;
            ValueTask<FlushResult> flush;
            try
            {
                flush = output.FlushAsync();
            }
            catch (InvalidOperationException)
            {
                _closed = true;
                return;
            }

            if (flush.IsCompletedSuccessfully)
            {
                _closed = flush.Result.IsCompleted;
                return;
            }

            _flushing = true;
            _flushingSince = time.GetTimestamp();
            _ = FinishAsync(flush);
        }
    }

    /// <summary>A last packet if the transport takes it now, then nothing more. False: the transport stands still.</summary>
    public bool Close(ReadOnlySpan<byte> last)
    {
        lock (_gate)
        {
            var clear = !_flushing;
            if (clear && (last.IsEmpty || TryWrite(last)))
            {
                Flush();
            }

            _closed = true;
            Release();
            return clear;
        }
    }

    private async Task FinishAsync(ValueTask<FlushResult> flush)
    {
        var ended = false;
        while (true)
        {
            try
            {
                ended = (await flush).IsCompleted;
            }
            catch (Exception error) when (error is IOException or InvalidOperationException or OperationCanceledException)
            {
                ended = true;
            }

            lock (_gate)
            {
                _closed |= ended;
                if (_closed || _waitingBytes == 0)
                {
                    _flushing = false;
                    if (_closed)
                    {
                        Release();
                    }

                    return;
                }

                try
                {
                    output.Write(_waiting.AsSpan(0, _waitingBytes));
                    flush = output.FlushAsync();
                }
                catch (InvalidOperationException)
                {
                    // The transport has ended its side; what waits goes nowhere.
                    flush = new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
                }

                Release();
                _flushingSince = time.GetTimestamp();
            }
        }
    }

    private void Grow(int needed)
    {
        if (_waiting is { } old && old.Length >= needed)
        {
            return;
        }

        var grown = ArrayPool<byte>.Shared.Rent(Math.Min(maxBytes, Math.Max(needed, 1024)));
        _waiting.AsSpan(0, _waitingBytes).CopyTo(grown);
        Return();
        _waiting = grown;
    }

    private void Release()
    {
        Return();
        _waiting = null;
        _waitingBytes = 0;
        _waitingMessages = 0;
    }

    private void Return()
    {
        if (_waiting is { } array)
        {
            ArrayPool<byte>.Shared.Return(array, clearArray: true);
        }
    }
}
