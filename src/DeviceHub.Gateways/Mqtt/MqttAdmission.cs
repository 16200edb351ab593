using System.Net;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>Who may take a place: counts by address those that have not logged in, and paces CONNECTs by client id and address together.</summary>
internal sealed class MqttAdmission(MqttOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _notLoggedIn = [];
    private readonly Dictionary<(string ClientId, IPAddress Address), (double Tokens, long At)> _connects = [];
    private int _connections;

    /// <summary>Null: it has its place, which <see cref="LoggedIn"/> and <see cref="Leave"/> give back. Else the reason.</summary>
    public string? TryEnter(EndPoint? remote)
    {
        lock (_gate)
        {
            if (_connections >= options.MaxConnections)
            {
                return "too-many-connections";
            }

            var address = AddressOf(remote);
            var waiting = _notLoggedIn.GetValueOrDefault(address);
            if (waiting >= options.MaxConnectionsNotLoggedInPerAddress)
            {
                return "too-many-not-logged-in";
            }

            _notLoggedIn[address] = waiting + 1;
            _connections++;
            return null;
        }
    }

    public void LoggedIn(EndPoint? remote)
    {
        lock (_gate)
        {
            var address = AddressOf(remote);
            if (_notLoggedIn.TryGetValue(address, out var waiting) && waiting > 1)
            {
                _notLoggedIn[address] = waiting - 1;
            }
            else
            {
                _notLoggedIn.Remove(address);
            }
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            _connections--;
        }
    }

    /// <summary>Paced for this client id from this address only, so that nobody else's tries lock a terminal out.</summary>
    public bool MayConnect(string clientId, EndPoint? remote)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var key = (clientId, AddressOf(remote));
            var known = _connects.TryGetValue(key, out var bucket);
            if (!known && _connects.Count >= options.MaxConnectRecords)
            {
                // Full of strangers: forgetting all of them is better than locking a terminal out.
                _connects.Clear();
            }

            var tokens = known ? Filled(bucket, now) : options.ConnectBurst;
            var allowed = tokens >= 1;
            _connects[key] = (allowed ? tokens - 1 : tokens, now);
            return allowed;
        }
    }

    /// <summary>Forgets the records that are full again.</summary>
    public void Tick()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            foreach (var (key, bucket) in _connects)
            {
                if (Filled(bucket, now) >= options.ConnectBurst)
                {
                    _connects.Remove(key);
                }
            }
        }
    }

    private double Filled((double Tokens, long At) bucket, long now) =>
        Math.Min(options.ConnectBurst, bucket.Tokens + time.GetElapsedTime(bucket.At, now).TotalSeconds / options.ConnectIntervalSeconds);

    private static IPAddress AddressOf(EndPoint? remote)
    {
        var address = (remote as IPEndPoint)?.Address ?? IPAddress.None;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }
}
