using System.Buffers.Binary;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace DeviceHub.Tools.LoadBench.Driver;

/// <summary>
/// Plain Linux sockets and epoll for one thread. The runtime's socket engine hops to the thread pool for every completion; on a machine
/// that the measured server shares, that would measure the driver.
/// </summary>
internal sealed unsafe partial class Epoll : IDisposable
{
    private const int MaxEvents = 512;
    private const uint In = 1, HangUp = 0x10, Error = 8, PeerClosed = 0x2000;
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Stride - 8;

    private readonly int epoll = Check(epoll_create1(0x80000), "epoll_create1");
    private readonly byte[] events = GC.AllocateArray<byte>(MaxEvents * 16, pinned: true);

    /// <summary>A TCP connection to a loopback port, without Nagle's delay; the connect itself is waited for.</summary>
    public int Connect(int port)
    {
        var fd = Check(socket(2, 1 | 0x80000, 0), "socket");
        var on = 1;
        Check(setsockopt(fd, 6, 1, &on, sizeof(int)), "TCP_NODELAY");
        Span<byte> address = stackalloc byte[16];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, 2);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], (ushort)port);
        BinaryPrimitives.WriteUInt32BigEndian(address[4..], 0x7F000001);
        fixed (byte* p = address)
        {
            Check(connect(fd, p, 16), "connect");
        }

        var flags = Check(fcntl(fd, 3, 0), "fcntl");
        Check(fcntl(fd, 4, flags | 0x800), "O_NONBLOCK");
        Span<byte> e = stackalloc byte[16];
        e.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(e, In | PeerClosed);
        BinaryPrimitives.WriteInt64LittleEndian(e[DataOffset..], fd);
        fixed (byte* p = e)
        {
            Check(epoll_ctl(epoll, 1, fd, p), "epoll_ctl");
        }

        return fd;
    }

    /// <summary>Fills <paramref name="ready"/> with readable or closed sockets.</summary>
    public int Wait(Span<int> ready, int timeoutMs)
    {
        int count;
        fixed (byte* p = events)
        {
            count = epoll_wait(epoll, p, Math.Min(MaxEvents, ready.Length), timeoutMs);
        }

        for (var i = 0; i < count; i++)
        {
            ready[i] = (int)BinaryPrimitives.ReadInt64LittleEndian(events.AsSpan((i * Stride) + DataOffset));
        }

        return Math.Max(count, 0);
    }

    /// <summary>Bytes read; 0: the peer closed; -1: nothing there now.</summary>
    public static int Receive(int fd, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            var n = (int)recv(fd, p, (nuint)buffer.Length, 0);
            return n >= 0 ? n : Marshal.GetLastPInvokeError() is 11 or 4 ? -1 : 0;
        }
    }

    /// <summary>Sends all of it. A full socket buffer is waited for: packets are small, so it means that the server does not read.</summary>
    public static bool Send(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
        {
            var sent = 0;
            for (var tries = 0; sent < bytes.Length && tries < 1000; tries++)
            {
                var n = (int)send(fd, p + sent, (nuint)(bytes.Length - sent), 0x4000);
                if (n < 0 && Marshal.GetLastPInvokeError() is not (11 or 4))
                {
                    return false;
                }

                if (n < 0)
                {
                    Thread.Sleep(1);
                    continue;
                }

                sent += n;
            }

            return sent == bytes.Length;
        }
    }

    public static void Close(int fd) => _ = close(fd);

    public void Dispose() => _ = close(epoll);

    private static int Check(int result, string call) =>
        result >= 0 ? result : throw new SocketException(Marshal.GetLastPInvokeError(), $"{call}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, byte* e);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, byte* events, int maxEvents, int timeoutMs);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int fd, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int name, int* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);
}
