using System.Buffers;
using System.Collections.Concurrent;

namespace DeviceHub.Tools.ChannelSandbox.Http;

/// <summary>A growing buffer that is used again and again.</summary>
internal sealed class Draft : IBufferWriter<byte>
{
    private const int MaxKept = 256;
    private const int MaxKeptBytes = 64 * 1024;

    private static readonly ConcurrentQueue<Draft> Kept = new();

    private byte[] bytes = new byte[4096];

    public int Length { get; private set; }

    public Span<byte> Written => bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => bytes.AsMemory(0, Length);

    public static Draft Rent() => Kept.TryDequeue(out var draft) ? draft : new Draft();

    public void Return()
    {
        Length = 0;
        if (bytes.Length <= MaxKeptBytes && Kept.Count < MaxKept)
        {
            Kept.Enqueue(this);
        }
    }

    public void Clear() => Length = 0;

    public void Add(ReadOnlySpan<byte> part)
    {
        part.CopyTo(GetSpan(part.Length));
        Length += part.Length;
    }

    public void Add(byte one)
    {
        GetSpan(1)[0] = one;
        Length++;
    }

    public void Add(string text)
    {
        var span = GetSpan(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        Length += System.Text.Encoding.UTF8.GetBytes(text, span);
    }

    public void Add(long number)
    {
        System.Buffers.Text.Utf8Formatter.TryFormat(number, GetSpan(20), out var length);
        Length += length;
    }

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(sizeHint);
        return bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(sizeHint);
        return bytes.AsSpan(Length);
    }

    private void Grow(int more)
    {
        var needed = Length + Math.Max(more, 1);
        if (needed > bytes.Length)
        {
            Array.Resize(ref bytes, Math.Max(needed, bytes.Length * 2));
        }
    }
}
