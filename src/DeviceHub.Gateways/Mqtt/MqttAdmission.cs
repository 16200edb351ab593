using System.Net;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>Who may take a place: counts by address those that have not logged in, and paces CONNECTs by client id and address together.</summary>
internal sealed class MqttAdmission(MqttOptions options, TimeProvider time)
{
    private const int MaxTold = 1_000;

    private static readonly TimeSpan TellAgain = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _notLoggedIn = [];
    private readonly Dictionary<(string ClientId, IPAddress Address), (double Tokens, long At)> _connects = [];
    private readonly HashSet<(string Reason, IPAddress Address)> _told = [];
    private long _toldSince = time.GetTimestamp();
    private int _connections;
    private int _handshakes;

    /// <summary>Null: it has its place. Else the reason.</summary>
    /// <param name="handshake">A TLS handshake begins: the dearest thing that a stranger can ask for.</param>
    public string? TryEnter(EndPoint? remote, bool handshake, out MqttPlace? place)
    {
        place = null;
        lock (_gate)
        {
            if (_connections >= options.MaxConnections)
            {
                return "too-many-connections";
            }

            if (handshake && _handshakes >= options.MaxTlsHandshakes)
            {
                return "too-many-handshakes";
            }

            var address = RemoteAddress.Of(remote);
            var waiting = _notLoggedIn.GetValueOrDefault(address);
            if (waiting >= options.MaxConnectionsNotLoggedInPerAddress)
            {
                return "too-many-not-logged-in";
            }

            _notLoggedIn[address] = waiting + 1;
            _connections++;
            _handshakes += handshake ? 1 : 0;
            place = new MqttPlace(this, address, handshake);
            return null;
        }
    }

    /// <summary>True once a minute for a reason and an address, so that a flood is told of and does not fill the log.</summary>
    public bool MayTell(string reason, EndPoint? remote)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (time.GetElapsedTime(_toldSince, now) > TellAgain)
            {
                _told.Clear();
                _toldSince = now;
            }

            return _told.Count < MaxTold && _told.Add((reason, RemoteAddress.Of(remote)));
        }
    }

    /// <summary>
    /// How long this CONNECT waits for its answer. It is never refused for others' tries, and it is paced for this client id from this
    /// address only: nobody elsewhere can slow a terminal down.
    /// </summary>
    public TimeSpan Pace(string clientId, EndPoint? remote)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var key = (clientId, RemoteAddress.Of(remote));
            var known = _connects.TryGetValue(key, out var bucket);
            if (!known && _connects.Count >= options.MaxConnectRecords)
            {
                // Full of strangers: forgetting all of them is better than slowing a terminal down.
                _connects.Clear();
            }

            var tokens = known ? Filled(bucket, now) : options.ConnectBurst;
            var atOnce = tokens >= 1;
            _connects[key] = (atOnce ? tokens - 1 : tokens, now);
            return atOnce ? TimeSpan.Zero : TimeSpan.FromSeconds(options.ConnectIntervalSeconds);
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

    internal void LoggedIn(IPAddress address)
    {
        lock (_gate)
        {
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

    internal void HandshakeOver()
    {
        lock (_gate)
        {
            _handshakes--;
        }
    }

    internal void Leave()
    {
        lock (_gate)
        {
            _connections--;
        }
    }

    private double Filled((double Tokens, long At) bucket, long now) =>
        Math.Min(options.ConnectBurst, bucket.Tokens + time.GetElapsedTime(bucket.At, now).TotalSeconds / options.ConnectIntervalSeconds);
}

/// <summary>The place of one connection; each part is given back once.</summary>
internal sealed class MqttPlace(MqttAdmission admission, IPAddress address, bool handshake)
{
    private int _handshaking = handshake ? 1 : 0;
    private int _notLoggedIn = 1;

    public bool IsLoggedIn => Volatile.Read(ref _notLoggedIn) == 0;

    public void LoggedIn()
    {
        if (Interlocked.Exchange(ref _notLoggedIn, 0) == 1)
        {
            admission.LoggedIn(address);
        }
    }

    /// <summary>False: it was over before, or there was none.</summary>
    public bool HandshakeOver()
    {
        var over = Interlocked.Exchange(ref _handshaking, 0) == 1;
        if (over)
        {
            admission.HandshakeOver();
        }

        return over;
    }

    public void Leave()
    {
        LoggedIn();
        admission.Leave();
    }
}
