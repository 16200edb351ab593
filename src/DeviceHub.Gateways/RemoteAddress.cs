using System.Net;
using System.Net.Sockets;

namespace DeviceHub.Gateways;

/// <summary>What counts as one address in limits: an IPv4 address, or the /64 of an IPv6 one, since its owner has all of those.</summary>
internal static class RemoteAddress
{
    public static IPAddress Of(EndPoint? remote)
    {
        if (remote is not IPEndPoint { Address: { } address })
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}
