using System.Buffers.Binary;
using DeviceHub.Gateways.Serial;

namespace DeviceHub.UnitTests.Serial;

/// <summary>Keyboards, from a stream of events as a scan gun makes it: where no uinput exists, a file takes the device's place.</summary>
public sealed class EventDeviceTests : IDisposable
{
    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    [Fact]
    public void Keys_become_codes_with_shift_keypad_repeats_and_scan_codes_of_no_meaning()
    {
        var recorded = new Recording();
        recorded.Type("134567890123456789").Press(28);
        recorded.Hold(42).Type("]q1").Release(42).Press(28);
        recorded.Repeat(3).Press(96);
        recorded.Press(79).Press(80).Press(113).Press(28);
        Assert.Equal(["134567890123456789", "}Q!", "2", "12"], Codes(recorded.Bytes, 7));
        Assert.Equal(["134567890123456789", "}Q!", "2", "12"], Codes(recorded.Bytes, 4_096));
    }

    [Fact]
    public void Events_that_the_kernel_lost_spoil_the_code_and_nothing_after_it()
    {
        var recorded = new Recording();
        recorded.Type("1345").Event(0, 3, 0).Type("678").Press(28).Type("13").Press(28);
        Assert.Equal(["!ControlCharacter", "13"], Codes(recorded.Bytes, 24));
    }

    [Fact]
    public void What_is_no_input_device_is_refused_in_words()
    {
        var refused = Assert.Throws<PortException>(() => EventDevice.Open(file));
        Assert.Contains("is a regular file, no port", refused.Message, StringComparison.Ordinal);
        Assert.Equal(PortFault.Missing, Assert.Throws<PortException>(() => EventDevice.Open(file + "-nothing")).Fault);
    }

    private List<string> Codes(byte[] events, int cut)
    {
        File.WriteAllBytes(file, events);
        using var device = EventDevice.Open(file, grab: false);
        var reader = new ScanReader("", "", false);
        var codes = new List<string>();
        var buffer = new byte[cut];
        try
        {
            while (true)
            {
                device.Decode(buffer.AsSpan(0, device.Read(buffer)), character =>
                {
                    if (reader.TryTake(character, 0, out var code, out var fault))
                    {
                        codes.Add(fault == ScanFault.None ? code : "!" + fault);
                    }
                });
            }
        }
        catch (PortException gone) when (gone.Fault == PortFault.Gone)
        {
            return codes;
        }
    }

    /// <summary>The events that a keyboard sends: a scan code (MSC_SCAN), the key, and the end of the report, each time.</summary>
    private sealed class Recording
    {
        private static readonly Dictionary<char, int> Keys = "1234567890".Select((c, i) => (c, Code: 2 + i))
            .Concat([(']', 27), ('q', 16)]).ToDictionary(k => k.Item1, k => k.Item2);

        private readonly List<byte> bytes = [];

        public byte[] Bytes => [.. bytes];

        public Recording Type(string text)
        {
            foreach (var character in text)
            {
                Press(Keys[character]);
            }

            return this;
        }

        public Recording Press(int key) => Hold(key).Release(key);

        public Recording Hold(int key) => Event(4, 4, 0x70000 + key).Event(1, key, 1).Event(0, 0, 0);

        public Recording Release(int key) => Event(4, 4, 0x70000 + key).Event(1, key, 0).Event(0, 0, 0);

        public Recording Repeat(int key) => Hold(key).Event(1, key, 2).Event(0, 0, 1).Event(1, key, 2).Event(0, 0, 1).Release(key);

        public Recording Event(int type, int code, int value)
        {
            Span<byte> e = stackalloc byte[24];
            BinaryPrimitives.WriteInt64LittleEndian(e, 1_795_507_200);
            BinaryPrimitives.WriteInt64LittleEndian(e[8..], bytes.Count);
            BinaryPrimitives.WriteUInt16LittleEndian(e[16..], (ushort)type);
            BinaryPrimitives.WriteUInt16LittleEndian(e[18..], (ushort)code);
            BinaryPrimitives.WriteInt32LittleEndian(e[20..], value);
            bytes.AddRange(e);
            return this;
        }
    }
}
