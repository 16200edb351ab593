using System.Buffers.Binary;

namespace DeviceHub.Gateways.Serial;

/// <summary>
/// A scanner that is a keyboard: a Linux input device, grabbed, so that its keys reach nobody else. Keys are those of a US layout, which scan guns
/// ship with.
/// </summary>
internal sealed class EventDevice : IPortDevice
{
    /// <summary>A <c>struct input_event</c> of 64-bit Linux: two 8-byte times, type, code and value.</summary>
    private const int EventBytes = 24, TypeOffset = 16, CodeOffset = 18, ValueOffset = 20;
    private const int Synchronise = 0, Key = 1, Dropped = 3, Released = 0, Pressed = 1;
    private const int LeftShift = 42, RightShift = 54, Enter = 28, KeypadEnter = 96;

    private static readonly Dictionary<int, (char Plain, char Shifted)> Keys = MakeKeys();

    private readonly string path;
    private readonly byte[] part = new byte[EventBytes];
    private int partBytes;
    private int fd;
    private bool shift;

    private EventDevice(string path, int fd)
    {
        this.path = path;
        this.fd = fd;
    }

    public int Descriptor => fd;

    /// <param name="path">Its file, <c>/dev/input/event...</c>.</param>
    /// <param name="grab">False only where there is no such device: a test's recording.</param>
    /// <exception cref="PortException">It cannot be opened, or another program has grabbed it.</exception>
    public static EventDevice Open(string path, bool grab = true)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PortException(PortFault.Other, "keyboards are served on Linux only");
        }

        var fd = Libc.Open(path, write: false);
        if (fd < 0)
        {
            throw PortException.Of(Libc.LastError, path);
        }

        if (grab && Libc.Control(fd, Libc.Grab, 1) < 0)
        {
            var error = Libc.LastError;
            Libc.Close(fd);
            throw PortException.Of(error, path);
        }

        return new EventDevice(path, fd);
    }

    public int Read(Span<byte> buffer)
    {
        var read = Libc.Read(fd, buffer);
        return read > 0 ? read
            : read < 0 && Libc.LastError is Libc.Again or Libc.Interrupted ? 0
            : throw new PortException(PortFault.Gone, $"{path} is gone (unplugged?)");
    }

    public void Decode(ReadOnlySpan<byte> read, Action<char> character)
    {
        while (!read.IsEmpty)
        {
            var take = Math.Min(EventBytes - partBytes, read.Length);
            read[..take].CopyTo(part.AsSpan(partBytes));
            read = read[take..];
            partBytes += take;
            if (partBytes == EventBytes)
            {
                partBytes = 0;
                Decode(character);
            }
        }
    }

    public void Dispose()
    {
        if (fd >= 0)
        {
            Libc.Close(fd);
            fd = -1;
        }
    }

    private void Decode(Action<char> character)
    {
        var type = BinaryPrimitives.ReadUInt16LittleEndian(part.AsSpan(TypeOffset));
        var code = BinaryPrimitives.ReadUInt16LittleEndian(part.AsSpan(CodeOffset));
        var value = BinaryPrimitives.ReadInt32LittleEndian(part.AsSpan(ValueOffset));
        if (type == Synchronise && code == Dropped)
        {
            // The kernel lost events: what was typed so far is no whole code.
            shift = false;
            character('\0');
        }
        else if (type == Key && code is LeftShift or RightShift)
        {
            shift = value != Released;
        }
        else if (type == Key && value == Pressed)
        {
            if (code is Enter or KeypadEnter)
            {
                character('\r');
            }
            else if (Keys.TryGetValue(code, out var key))
            {
                character(shift ? key.Shifted : key.Plain);
            }
        }
    }

    private static Dictionary<int, (char Plain, char Shifted)> MakeKeys()
    {
        var keys = new Dictionary<int, (char Plain, char Shifted)>();
        Row(2, "1234567890-=", "!@#$%^&*()_+");
        Row(15, "\tqwertyuiop[]", "\tQWERTYUIOP{}");
        Row(30, "asdfghjkl;'`", "ASDFGHJKL:\"~");
        Row(43, "\\zxcvbnm,./", "|ZXCVBNM<>?");
        Row(55, "*", "*");
        Row(57, " ", " ");
        Row(71, "789-456+1230.", "789-456+1230.");
        return keys;

        void Row(int first, string plain, string shifted)
        {
            for (var i = 0; i < plain.Length; i++)
            {
                keys[first + i] = (plain[i], shifted[i]);
            }
        }
    }
}
