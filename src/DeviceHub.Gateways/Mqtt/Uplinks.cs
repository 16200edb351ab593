using System.Buffers;
using System.Runtime.CompilerServices;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>
/// The publishes of one connection that the session is handling. Acknowledgements leave in the order of the publishes, each when
/// its own handling and all before it are done.
/// </summary>
internal sealed class Uplinks(MqttConnection connection, int capacity)
{
    private readonly Lock _gate = new();
    private readonly Queue<Uplink> _order = new(1);
    private Uplink? _spare;
    private TaskCompletionSource? _room;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _order.Count;
            }
        }
    }

    public bool Full => Count >= capacity;

    /// <summary>A repeat of a publish that is still being handled: its acknowledgement is on its way, it is not handed over again.</summary>
    /// <param name="unacknowledged">Publishes that wait for their acknowledgement.</param>
    public bool Contains(ushort id, out int unacknowledged)
    {
        unacknowledged = 0;
        lock (_gate)
        {
            foreach (var uplink in _order)
            {
                if (uplink.Id == id)
                {
                    return true;
                }

                unacknowledged += uplink.Id != 0 ? 1 : 0;
            }

            return false;
        }
    }

    /// <summary>Hands a payload to the session; <paramref name="id"/> 0: QoS 0.</summary>
    public void Start(ITerminalSession session, ushort id, ReadOnlySpan<byte> payload)
    {
        var uplink = Enter(id, 0, done: false);
        uplink.Buffer = ArrayPool<byte>.Shared.Rent(Math.Max(payload.Length, 1));
        payload.CopyTo(uplink.Buffer);
        ValueTask handling;
        try
        {
            handling = session.Receive(uplink.Buffer.AsMemory(0, payload.Length));
        }
        catch (Exception error)
        {
            handling = ValueTask.FromException(error);
        }

        uplink.Wait(handling);
    }

    /// <summary>An acknowledgement with a refusal, in its turn.</summary>
    public void Refuse(ushort id, byte reason)
    {
        Enter(id, reason, done: true);
        Drain();
    }

    /// <summary>Completes when there is room again or everything ended; call it when full.</summary>
    public Task RoomAsync()
    {
        lock (_gate)
        {
            if (_order.Count < capacity || connection.IsCut)
            {
                return Task.CompletedTask;
            }

            _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    public void Release()
    {
        lock (_gate)
        {
            _room?.TrySetResult();
        }
    }

    private Uplink Enter(ushort id, byte reason, bool done)
    {
        lock (_gate)
        {
            var uplink = _spare ?? new Uplink(this);
            _spare = null;
            uplink.Id = id;
            uplink.Reason = reason;
            uplink.Done = done;
            _order.Enqueue(uplink);
            return uplink;
        }
    }

    private void Finish(Uplink uplink, Exception? error)
    {
        if (error is not null)
        {
            connection.SessionFaulted(error);
        }

        lock (_gate)
        {
            if (uplink.Buffer is { } buffer)
            {
                ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
                uplink.Buffer = null;
            }

            uplink.Done = true;
        }

        Drain();
    }

    private void Drain()
    {
        Span<byte> packet = stackalloc byte[8];
        lock (_gate)
        {
            while (_order.TryPeek(out var first) && first.Done)
            {
                _order.Dequeue();
                if (first.Id != 0)
                {
                    connection.Write(packet[..PacketBytes.PubAck(packet, first.Id, first.Reason)]);
                }

                _spare = first;
            }

            if (_room is { } waiting && _order.Count < capacity)
            {
                _room = null;
                waiting.TrySetResult();
            }
        }

        connection.FlushUnlessReading();
    }

    private sealed class Uplink(Uplinks owner)
    {
        private ValueTaskAwaiter _handling;
        private Action? _completed;

        public ushort Id { get; set; }
        public byte Reason { get; set; }
        public bool Done { get; set; }
        public byte[]? Buffer { get; set; }

        public void Wait(ValueTask handling)
        {
            _handling = handling.GetAwaiter();
            if (_handling.IsCompleted)
            {
                Complete();
            }
            else
            {
                _handling.UnsafeOnCompleted(_completed ??= Complete);
            }
        }

        private void Complete()
        {
            Exception? error = null;
            try
            {
                _handling.GetResult();
            }
            catch (Exception thrown)
            {
                error = thrown;
            }

            _handling = default;
            owner.Finish(this, error);
        }
    }
}
