using System.Runtime.InteropServices;

namespace DeviceHub.Gateways.Serial;

/// <summary>What the kernel offers for serial lines and input devices. Numbers are those of Linux on x86-64 and ARM.</summary>
internal static unsafe partial class Libc
{
    public const int NoEntry = 2, Again = 11, Interrupted = 4, NoAccess = 13, NoPermission = 1, Busy = 16, NotATerminal = 25, IsFolder = 21;

    public const nuint GetTermios = 0x802C542A, SetTermios = 0x402C542B;
    public const nuint Exclusive = 0x540C, NotExclusive = 0x540D, Flush = 0x540B, OutQueue = 0x5411, RaiseLines = 0x5416, DropLines = 0x5417;
    public const nuint Grab = 0x40044590;
    public const int FlushInput = 0, FlushBoth = 2, Dtr = 2, Rts = 4;

    private const int ReadWrite = 2, NoControllingTerminal = 0x100, NonBlocking = 0x800, CloseOnExec = 0x80000;

    /// <summary>A file descriptor that never blocks; below 0: the error is <see cref="LastError"/>.</summary>
    public static int Open(string path, bool write) => open(path, (write ? ReadWrite : 0) | NoControllingTerminal | NonBlocking | CloseOnExec);

    public static int LastError => Marshal.GetLastPInvokeError();

    public static string Words(int error) => Marshal.GetPInvokeErrorMessage(error);

    /// <summary>Bytes read; 0: the end; -1: an error, <see cref="Again"/> if there is nothing now.</summary>
    public static int Read(int fd, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            return (int)read(fd, p, (nuint)buffer.Length);
        }
    }

    public static int Write(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
        {
            return (int)write(fd, p, (nuint)bytes.Length);
        }
    }

    public static int Control(int fd, nuint request, Span<byte> memory)
    {
        fixed (byte* p = memory)
        {
            return ioctl(fd, request, p);
        }
    }

    public static int Control(int fd, nuint request, nint value) => ioctl(fd, request, (void*)value);

    /// <summary>False: another descriptor has the lock. It ends with the descriptor, however the process ends.</summary>
    public static bool TryLock(int fd) => flock(fd, 2 | 4) == 0;

    /// <summary>Whether what is in the file, or which names are in the folder, is on the disk.</summary>
    public static bool TrySync(int fd) => fsync(fd) == 0;

    public static void Close(int fd) => _ = close(fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int fd, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);
}
