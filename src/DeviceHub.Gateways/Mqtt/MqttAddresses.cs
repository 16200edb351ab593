using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>Where the endpoint listens: after the start, with the ports that the system gave for port 0.</summary>
public sealed class MqttAddresses
{
    private ListenOptions? _plain;
    private ListenOptions? _tls;

    /// <summary>Null: no plain listener.</summary>
    public IPEndPoint? Plain => _plain?.IPEndPoint;

    /// <summary>Null: no TLS listener.</summary>
    public IPEndPoint? Tls => _tls?.IPEndPoint;

    internal void Add(ListenOptions listener, bool tls)
    {
        if (tls)
        {
            _tls = listener;
        }
        else
        {
            _plain = listener;
        }
    }
}
