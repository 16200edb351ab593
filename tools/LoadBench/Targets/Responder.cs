using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DeviceHub.Tools.LoadBench.Driver;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>
/// What mosquitto needs to be an echo: a client in its own process that subscribes to all <c>up</c> topics and publishes each payload
/// to the <c>down</c> topic beside it. One blocking socket; everything that one read brought is answered with one write.
/// </summary>
internal static class Responder
{
    public static int Run(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        socket.Send(Packets.Connect("bench-responder"));
        var input = new byte[256 * 1024];
        var output = new byte[1024 * 1024];
        var held = 0;
        ushort id = 0;
        while (socket.Receive(input.AsSpan(held)) is > 0 and var n)
        {
            held += n;
            var rest = input.AsSpan(0, held);
            var written = 0;
            while (Packets.Next(rest, out var body) is > 0 and var length)
            {
                switch (rest[0] >> 4)
                {
                    case 2:
                        socket.Send(Packets.Subscribe("dh/v1/+/up"));
                        break;
                    case 9:
                        Console.WriteLine("ready");
                        break;
                    case 3:
                        written += Answer(rest[0], body, output.AsSpan(written), ++id == 0 ? id = 1 : id);
                        break;
                }

                rest = rest[length..];
            }

            rest.CopyTo(input);
            held = rest.Length;
            socket.Send(output.AsSpan(0, written));
        }

        return 0;
    }

    /// <summary>PUBACK of what came and the PUBLISH that answers it.</summary>
    private static int Answer(byte header, ReadOnlySpan<byte> body, Span<byte> output, ushort id)
    {
        var payload = Packets.Payload(header, body, out var received);
        var up = Packets.Topic(body);
        output[0] = 0x40;
        output[1] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(output[2..], received);
        var publish = Packets.Publish(string.Concat(Encoding.ASCII.GetString(up[..^2]), "down"), payload);
        Packets.SetPublishId(publish, id);
        publish.CopyTo(output[4..]);
        return 4 + publish.Length;
    }
}
