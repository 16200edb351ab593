using System.Net;
using System.Net.Sockets;

namespace DeviceHub.Tools.Chaos;

/// <summary>Ports for processes that are killed and started again on the same port.</summary>
internal static class Ports
{
    private const int First = 15_000;
    private const int Count = 17_000;

    /// <summary>From anywhere, since other runs take ports at the same time; from there on in order, so that nobody here is given one twice.</summary>
    private static int taken = Random.Shared.Next(Count);

    /// <summary>
    /// Free now, and below the range that the system takes ports for outgoing connections from: there a terminal that tries to reach a
    /// dead hub could get the hub's own port.
    /// </summary>
    public static int Free()
    {
        while (true)
        {
            var port = First + (Interlocked.Increment(ref taken) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }
}
