using CsCheck;
using DeviceHub.Protocol.Serial;

namespace DeviceHub.UnitTests.Serial;

public sealed class FrameTests
{
    /// <summary>Bytes with many zeros and many long runs without, which is where COBS has its edges.</summary>
    private static readonly Gen<byte[]> Payloads = Gen.OneOf(
        Gen.Byte.Array[0, 600],
        Gen.OneOf(Gen.Const((byte)0), Gen.Byte).Array[0, 600],
        Gen.Byte[1, 255].Array[240, 600]);

    [Fact]
    public void Whatever_is_written_is_read_back_whole_with_no_zero_inside_and_within_its_longest_size() =>
        Gen.Select(Payloads, Gen.Byte, Gen.Byte, Gen.Int[1, 700]).Sample((payload, type, sequence, cut) =>
        {
            var line = Write((FrameType)type, sequence, payload);
            Assert.True(line.Length <= FrameSize.OnLine(payload.Length));
            Assert.Equal(2, line.Count(b => b == 0));
            Assert.Equal((0, 0), (line[0], line[^1]));
            var found = new List<(FrameType, byte, byte[])>();
            Assert.Equal(0, ReadAll(new FrameReader(600), line, cut, found));
            var (t, s, p) = Assert.Single(found);
            Assert.Equal(((FrameType)type, sequence), (t, s));
            Assert.Equal(payload, p);
        });

    [Fact]
    public void A_frame_is_found_whatever_random_bytes_stand_before_and_after_it() =>
        Gen.Select(Gen.Byte.Array[0, 1500], Payloads, Gen.Byte.Array[0, 300], Gen.Int[1, 64]).Sample((before, payload, after, cut) =>
        {
            var found = new List<(FrameType, byte, byte[])>();
            ReadAll(new FrameReader(600), [.. before, .. Write(FrameType.Data, 9, payload), .. after], cut, found);
            Assert.Contains(found, f => f is (FrameType.Data, 9, _) && f.Item3.AsSpan().SequenceEqual(payload));
        });

    [Fact]
    public void A_flipped_lost_or_repeated_byte_never_makes_another_frame() =>
        Gen.Select(Payloads, Gen.Int[0, int.MaxValue], Gen.Int[0, 9]).Sample((payload, where, what) =>
        {
            var line = Write(FrameType.Data, 9, payload).ToList();
            var at = 1 + (where % (line.Count - 2));
            switch (what)
            {
                case < 8: line[at] ^= (byte)(1 << what); break;
                case 8: line.RemoveAt(at); break;
                default: line.Insert(at, line[at]); break;
            }

            var found = new List<(FrameType, byte, byte[])>();
            ReadAll(new FrameReader(600), [.. line], int.MaxValue, found);
            Assert.Empty(found);
        });

    [Fact]
    public void The_longest_frame_is_taken_and_one_byte_more_is_not()
    {
        foreach (var largest in new[] { 512, 513, 1_024, 16_384 })
        {
            var reader = new FrameReader(largest);
            var found = new List<(FrameType, byte, byte[])>();
            Assert.Equal(1, ReadAll(reader, Write(FrameType.Data, 0, Enumerable.Repeat((byte)7, largest + 1).ToArray()), 100, found));
            Assert.Empty(found);
            Assert.Equal(0, ReadAll(reader, Write(FrameType.Data, 0, Enumerable.Repeat((byte)7, largest).ToArray()), 100, found));
            Assert.Equal(largest, Assert.Single(found).Item3.Length);
        }
    }

    [Fact]
    public void Neither_reading_nor_writing_allocates()
    {
        var payload = Enumerable.Range(0, 512).Select(i => (byte)(i % 97)).ToArray();
        var writer = new FrameWriter(512);
        var reader = new FrameReader(512);
        var line = new byte[FrameSize.OnLine(512)];
        var garbage = new byte[4_000];
        new Random(1).NextBytes(garbage);
        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var frames = 0;
        for (var i = 0; i < 1_000; i++)
        {
            frames += Once();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(frames >= 1_000);

        int Once()
        {
            var found = 0;
            ReadOnlySpan<byte> bytes = garbage;
            while (reader.TryRead(ref bytes, out _, out var fault) || fault != FrameFault.None)
            {
            }

            bytes = line.AsSpan(0, writer.Write(line, FrameType.Data, 3, payload));
            while (true)
            {
                if (reader.TryRead(ref bytes, out var frame, out var fault))
                {
                    found += frame.Payload.Length == payload.Length ? 1 : 0;
                }
                else if (fault == FrameFault.None)
                {
                    return found;
                }
            }
        }
    }

    private static byte[] Write(FrameType type, byte sequence, byte[] payload)
    {
        var line = new byte[FrameSize.OnLine(payload.Length)];
        return line[..new FrameWriter(payload.Length).Write(line, type, sequence, payload)];
    }

    private static int ReadAll(FrameReader reader, byte[] line, int cut, List<(FrameType Type, byte Sequence, byte[] Payload)> found)
    {
        var bad = 0;
        for (var at = 0; at < line.Length; at += Math.Min(cut, line.Length))
        {
            ReadOnlySpan<byte> bytes = line.AsSpan(at, Math.Min(cut, line.Length - at));
            while (true)
            {
                if (reader.TryRead(ref bytes, out var frame, out var fault))
                {
                    found.Add((frame.Type, frame.Sequence, frame.Payload.ToArray()));
                }
                else if (fault == FrameFault.None)
                {
                    break;
                }
                else
                {
                    bad++;
                }
            }
        }

        return bad;
    }
}
