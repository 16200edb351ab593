using System.Buffers.Binary;

namespace DeviceHub.Gateways.Serial;

/// <summary>What is done with a modem line when a port is opened.</summary>
public enum ModemLine { Untouched, On, Off }

/// <summary>
/// An open serial line: raw, 8N1, no flow control, never blocking. System.IO.Ports is not used: it polls each open port a thousand times a second
/// (measured: 64 idle ports take 45 % of a core) and always sets DTR and RTS. Not thread-safe.
/// </summary>
public sealed class Tty : IPortDevice
{
    private const int TermiosBytes = 44, SpeedOffset = 40, InputSpeedOffset = 36, MinimumOffset = 17 + 6, TimeOffset = 17 + 5;
    private const uint IgnoreBreak = 1, AnySpeed = 0x1000, SpeedMask = 0x100F, EightBits = 0x30, CanRead = 0x80, NoModem = 0x800, DropAtClose = 0x400;

    private readonly string path;
    private int fd;

    private Tty(string path, int fd)
    {
        this.path = path;
        this.fd = fd;
    }

    public int Descriptor => fd;

    /// <summary>Bytes that the kernel has not sent yet.</summary>
    public int Unsent
    {
        get
        {
            Span<byte> count = stackalloc byte[sizeof(int)];
            return Libc.Control(fd, Libc.OutQueue, count) < 0 ? 0 : BinaryPrimitives.ReadInt32LittleEndian(count);
        }
    }

    /// <param name="path">The port's file.</param>
    /// <param name="baud">Any rate that the driver does.</param>
    /// <param name="dtr">Pseudo-terminals have no modem lines: for them it is nothing.</param>
    /// <param name="rts">As <paramref name="dtr"/>.</param>
    /// <exception cref="PortException">It cannot be opened.</exception>
    public static Tty Open(string path, int baud, ModemLine dtr, ModemLine rts)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PortException(PortFault.Other, "serial ports are served on Linux only");
        }

        var fd = Libc.Open(path, write: true);
        if (fd < 0)
        {
            throw PortException.Of(Libc.LastError, path);
        }

        if (!Libc.TryLock(fd))
        {
            // Another's: nothing of it is touched, neither its rate nor the bytes that wait there.
            Libc.Close(fd);
            throw PortException.Of(Libc.Busy, path);
        }

        var tty = new Tty(path, fd);
        try
        {
            tty.SetRate(baud);
            _ = Libc.Control(fd, Libc.Exclusive, 0);
            Set(fd, Libc.Dtr, dtr);
            Set(fd, Libc.Rts, rts);
            _ = Libc.Control(fd, Libc.Flush, Libc.FlushInput);
            return tty;
        }
        catch
        {
            tty.Dispose();
            throw;
        }
    }

    /// <summary>Sets the rate, and the raw mode with it.</summary>
    /// <exception cref="PortException">It is no serial line, or its driver does not do that rate.</exception>
    public void SetRate(int baud)
    {
        Span<byte> termios = stackalloc byte[TermiosBytes];
        if (Libc.Control(fd, Libc.GetTermios, termios) < 0)
        {
            throw PortException.Of(Libc.LastError, path);
        }

        var control = BinaryPrimitives.ReadUInt32LittleEndian(termios[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(termios, IgnoreBreak);
        BinaryPrimitives.WriteUInt32LittleEndian(termios[4..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(termios[8..], (control & DropAtClose) | AnySpeed | EightBits | CanRead | NoModem);
        BinaryPrimitives.WriteUInt32LittleEndian(termios[12..], 0);
        termios[MinimumOffset] = 1;
        termios[TimeOffset] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(termios[InputSpeedOffset..], baud);
        BinaryPrimitives.WriteInt32LittleEndian(termios[SpeedOffset..], baud);
        if (Libc.Control(fd, Libc.SetTermios, termios) < 0 || Libc.Control(fd, Libc.GetTermios, termios) < 0)
        {
            throw new PortException(PortFault.Speed, $"{path} does not do {baud} baud: {Libc.Words(Libc.LastError)}");
        }

        var taken = BinaryPrimitives.ReadInt32LittleEndian(termios[SpeedOffset..]);
        if (Math.Abs((long)taken - baud) > baud / 40)
        {
            throw new PortException(PortFault.Speed, $"{path} does not do {baud} baud: its driver took {taken}");
        }
    }

    /// <summary>Bytes that are there; 0: none now.</summary>
    /// <exception cref="PortException">The port is gone.</exception>
    public int Read(Span<byte> buffer)
    {
        var read = Libc.Read(fd, buffer);
        return read > 0 ? read
            : read < 0 && Libc.LastError is Libc.Again or Libc.Interrupted ? 0
            : throw new PortException(PortFault.Gone, $"{path} is gone (unplugged?)");
    }

    /// <summary>How many of the bytes the kernel took; 0: it takes none now.</summary>
    /// <exception cref="PortException">The port is gone.</exception>
    public int Write(ReadOnlySpan<byte> bytes)
    {
        var written = Libc.Write(fd, bytes);
        return written >= 0 ? written
            : Libc.LastError is Libc.Again or Libc.Interrupted ? 0
            : throw new PortException(PortFault.Gone, $"{path} is gone (unplugged?)");
    }

    /// <summary>A scanner on a line prints ASCII.</summary>
    public void Decode(ReadOnlySpan<byte> read, Action<char> character)
    {
        foreach (var b in read)
        {
            character((char)b);
        }
    }

    public void Dispose()
    {
        if (fd >= 0)
        {
            // What was not sent is dropped: closing would wait for a line that takes nothing.
            _ = Libc.Control(fd, Libc.Flush, Libc.FlushBoth);
            _ = Libc.Control(fd, Libc.NotExclusive, 0);
            Libc.Close(fd);
            fd = -1;
        }
    }

    private static void Set(int fd, int line, ModemLine state)
    {
        if (state != ModemLine.Untouched)
        {
            Span<byte> bits = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(bits, line);
            _ = Libc.Control(fd, state == ModemLine.On ? Libc.RaiseLines : Libc.DropLines, bits);
        }
    }
}
