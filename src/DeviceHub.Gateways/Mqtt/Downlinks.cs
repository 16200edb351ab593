namespace DeviceHub.Gateways.Mqtt;

/// <summary>
/// Publishes to one terminal: at most a number unacknowledged (its Receive Maximum or ours), the rest waiting, bounded in messages
/// and bytes. All calls under the caller's lock.
/// </summary>
internal sealed class Downlinks(int maxUnacknowledged, int maxMessages, int maxBytes)
{
    private readonly List<(ushort Id, long Sent)> _unacknowledged = new(1);
    private Queue<byte[]>? _waiting;
    private int _waitingBytes;
    private ushort _lastId;

    /// <summary>The timestamp of the oldest publish without an acknowledgement.</summary>
    public long? OldestSent => _unacknowledged.Count > 0 ? _unacknowledged[0].Sent : null;

    public bool CanSend => _unacknowledged.Count < maxUnacknowledged;

    public ushort Take(long now)
    {
        do
        {
            _lastId++;
        }
        while (_lastId == 0 || IndexOf(_lastId) >= 0);

        _unacknowledged.Add((_lastId, now));
        return _lastId;
    }

    public bool Acknowledge(ushort id)
    {
        var index = IndexOf(id);
        if (index >= 0)
        {
            _unacknowledged.RemoveAt(index);
        }

        return index >= 0;
    }

    public bool TryWait(ReadOnlySpan<byte> payload)
    {
        if ((_waiting?.Count ?? 0) >= maxMessages || _waitingBytes + payload.Length > maxBytes)
        {
            return false;
        }

        (_waiting ??= new Queue<byte[]>()).Enqueue(payload.ToArray());
        _waitingBytes += payload.Length;
        return true;
    }

    public bool TryNext(out byte[] payload)
    {
        payload = [];
        if (_waiting is null || !CanSend || !_waiting.TryDequeue(out payload!))
        {
            return false;
        }

        _waitingBytes -= payload.Length;
        if (_waiting.Count == 0)
        {
            _waiting = null;
        }

        return true;
    }

    private int IndexOf(ushort id)
    {
        for (var i = 0; i < _unacknowledged.Count; i++)
        {
            if (_unacknowledged[i].Id == id)
            {
                return i;
            }
        }

        return -1;
    }
}
