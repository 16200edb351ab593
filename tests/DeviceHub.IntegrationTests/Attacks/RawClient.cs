using System.Net;
using System.Net.Sockets;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>A control packet as it came.</summary>
internal sealed record Packet(byte Header, byte[] Body)
{
    public const int ConnAck = 2, Publish = 3, PubAck = 4, SubAck = 9, PingResp = 13, Disconnect = 14;

    public int Type => Header >> 4;

    /// <summary>Of a CONNACK, PUBACK or DISCONNECT; where it is left out it is 0.</summary>
    public byte Reason => Type switch
    {
        ConnAck => Body[1],
        PubAck => Body.Length > 2 ? Body[2] : (byte)0,
        Disconnect => Body.Length > 0 ? Body[0] : (byte)0,
        _ => throw new InvalidOperationException($"a packet of type {Type} has no reason"),
    };

    public int Id => (Body[0] << 8) | Body[1];
}

/// <summary>
/// A socket that sends what a test says, right or wrong, from an address of its own, so that what one test does to its address touches
/// no other. Nothing is read unless the test reads.
/// </summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static int addresses;

    private readonly Socket socket;
    private byte[] buffer = new byte[64 * 1024];
    private int start;
    private int end;

    private RawClient(Socket socket) => this.socket = socket;

    /// <summary>A loopback address that no other test uses.</summary>
    public static IPAddress NewAddress()
    {
        var n = Interlocked.Increment(ref addresses);
        return new IPAddress([127, 7, (byte)(n >> 8), (byte)n]);
    }

    /// <param name="smallWindow">Lets the kernel take as little as it can on our side, for clients that do not read.</param>
    public static async Task<RawClient> Open(int port, IPAddress from, bool smallWindow = false)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (smallWindow)
            {
                socket.ReceiveBufferSize = 4096;
            }

            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return new RawClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Null: it was reset before it was connected.</summary>
    public static async Task<RawClient?> TryOpen(int port, IPAddress from)
    {
        try
        {
            return await Open(port, from);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return null;
        }
    }

    /// <summary>Sends; what the hub no longer takes is no fault of the test, which looks at what it answers.</summary>
    public async Task<bool> Send(params byte[][] packets)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            foreach (var packet in packets)
            {
                for (var sent = 0; sent < packet.Length;)
                {
                    sent += await socket.SendAsync(packet.AsMemory(sent), limit.Token);
                }
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The next packet; null: the hub has closed.</summary>
    public async Task<Packet?> Next()
    {
        while (true)
        {
            if (TryTake() is { } packet)
            {
                return packet;
            }

            using var limit = new CancellationTokenSource(Limit);
            int read;
            try
            {
                MakeRoom();
                read = await socket.ReceiveAsync(buffer.AsMemory(end), limit.Token);
            }
            catch (SocketException)
            {
                return null;
            }

            if (read == 0)
            {
                return null;
            }

            end += read;
        }
    }

    public async Task<Packet> Expect(int type)
    {
        var packet = await Next() ?? throw new InvalidOperationException($"the hub closed; a packet of type {type} was expected");
        Assert.True(packet.Type == type, $"expected a packet of type {type}, got {packet.Header:X2} {Convert.ToHexString(packet.Body)}");
        return packet;
    }

    /// <summary>Reads on to the end; the reason of the DISCONNECT before it, or null.</summary>
    public async Task<byte?> ToTheEnd()
    {
        byte? reason = null;
        while (await Next() is { } packet)
        {
            reason = packet.Type == Packet.Disconnect ? packet.Reason : reason;
        }

        return reason;
    }

    /// <summary>True: the hub has closed, as far as can be seen without waiting.</summary>
    public bool IsClosed()
    {
        try
        {
            return socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    /// <summary>FIN: nothing more will be sent.</summary>
    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>RST: as when the power goes.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();

    private void MakeRoom()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        if (end == buffer.Length)
        {
            Array.Resize(ref buffer, buffer.Length * 2);
        }
    }

    private Packet? TryTake()
    {
        var unread = buffer.AsSpan(start, end - start);
        var length = 0;
        for (var i = 1; i < unread.Length && i <= 4; i++)
        {
            length |= (unread[i] & 0x7F) << (7 * (i - 1));
            if ((unread[i] & 0x80) == 0)
            {
                var whole = 1 + i + length;
                if (unread.Length < whole)
                {
                    return null;
                }

                start += whole;
                return new Packet(unread[0], unread[(i + 1)..whole].ToArray());
            }
        }

        return null;
    }
}
