using DeviceHub.Protocol;
using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench;
using DeviceHub.Tools.Bench.Line;
using Google.Protobuf;

namespace DeviceHub.UnitTests.Bench;

public sealed class RecordingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("recording-").FullName;
    private readonly FrameWriter writer = new(FrameSize.LargestPayload);

    private string Path => System.IO.Path.Combine(folder, "line.pcapng");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Recording_is_read_back_with_directions_bytes_and_times()
    {
        Record((true, [1, 2, 3], 10), (false, [], 15), (true, [0, 0, 0, 0, 0xFF], 20.5));

        var read = PcapngReader.Read(Path);

        Assert.Equal([true, false, true], read.Select(b => b.FromTerminal));
        Assert.Equal([0, 5, 10.5], read.Select(b => b.At.TotalMilliseconds));
        Assert.Equal(["010203", "", "00000000ff"], read.Select(b => Convert.ToHexStringLower(b.Bytes.Span)));
    }

    [Fact]
    public void Recording_that_was_cut_is_read_up_to_the_cut_and_a_changed_one_never_throws_anything_but_its_fault()
    {
        Record((true, [1, 2, 3], 10), (false, [4], 15), (true, [5], 20));
        var whole = File.ReadAllBytes(Path);
        File.WriteAllBytes(Path, whole[..^5]);
        Assert.Equal(2, PcapngReader.Read(Path).Count);
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = (byte[])whole.Clone();
            changed[at] ^= 0xFF;
            File.WriteAllBytes(Path, changed);
            try
            {
                PcapngReader.Read(Path);
            }
            catch (BadInputException)
            {
                // Told to people.
            }
        }
    }

    [Fact]
    public void File_of_another_kind_is_told() => Assert.Contains("pcapng", Assert.Throws<BadInputException>(() =>
    {
        File.WriteAllText(Path, "hello, this is no recording at all");
        PcapngReader.Read(Path);
    }).Message, StringComparison.Ordinal);

    [Fact]
    public void Traffic_is_decoded_however_it_is_cut_and_secrets_are_masked()
    {
        var request = new Uplink { PaymentRequest = new PaymentRequest { RequestId = "AAAABBBBCCCC-1", AmountFen = 1280, PaymentCode = "134567890123456789", TimeToLiveMs = 30_000 } };
        var seal = new Sealer(new byte[32], SealDirection.Up);
        byte[] up =
        [
            .. "Booting v1.2\r\n"u8, .. Frame(FrameType.Hello, 0, Convert.FromHexString("017856341200000000085430303030303031" + "00")),
            .. Frame(FrameType.Data, 0, new Uplink { Sealed = seal.Seal(ByteString.CopyFrom(MessageCodec.Encode(request, WireEncoding.Protobuf))) }),
            .. Frame(FrameType.Data, 1, new Uplink { Activate = new Activate { ActivationCode = "SECRETSECRETSECR" } }), 0, 7, 7, 0,
        ];
        var down = Frame(FrameType.HubData, 0, new Downlink { Offer = new Offer { TerminalKey = ByteString.CopyFrom(new byte[32]) } });

        var lines = Decode(true, up).Concat(Decode(false, down)).ToList();

        Assert.Equal(["text", "hello", "payment_request", "activate", "bad", "offer"], lines.Select(l => l.Kind));
        Assert.Contains("Booting v1.2", lines[0].Text, StringComparison.Ordinal);
        Assert.Contains("T0000001", lines[1].Text, StringComparison.Ordinal);
        Assert.Contains("sealed#1", lines[2].Text, StringComparison.Ordinal);
        Assert.Contains("...6789", lines[2].Text, StringComparison.Ordinal);
        var whole = string.Join('\n', lines.Select(l => l.Text));
        Assert.All((string[])["134567890123456789", "SECRET", "AAAAAAAAAAAAAAAA"], secret => Assert.DoesNotContain(secret, whole, StringComparison.Ordinal));
    }

    [Fact]
    public void Filter_takes_types_and_messages_and_with_a_minus_leaves_them_out()
    {
        var beat = new TrafficLine(true, TimeSpan.Zero, "DATA", "heartbeat", "");
        var ack = new TrafficLine(true, TimeSpan.Zero, "ACK", "ack", "");

        Assert.True(TrafficText.Filter(null)(ack));
        Assert.True(TrafficText.Filter("data")(beat) && TrafficText.Filter("hello,Heartbeat")(beat) && TrafficText.Filter("-ack")(beat));
        Assert.False(TrafficText.Filter("hello")(beat) || TrafficText.Filter("-ack")(ack) || TrafficText.Filter("data,-heartbeat")(beat));
    }

    [Fact]
    public void Noise_of_a_seed_is_the_same_noise_again()
    {
        var bytes = Enumerable.Range(0, 5000).Select(i => (byte)i).ToArray();
        var level = new NoiseLevel(Flip: 0.01, Drop: 0.01, Repeat: 0.01);
        var first = new LineNoise(level, 7);

        var spoiled = first.Apply(bytes);

        Assert.Equal(spoiled, new LineNoise(level, 7).Apply(bytes));
        Assert.NotEqual(spoiled, new LineNoise(level, 8).Apply(bytes));
        Assert.All((int[])[first.Flipped, first.Dropped, first.Repeated], count => Assert.InRange(count, 20, 90));
        Assert.Equal(bytes.Length - first.Dropped + first.Repeated, spoiled.Length);
        Assert.Equal(bytes, new LineNoise(new NoiseLevel(), 7).Apply(bytes));
    }

    private void Record(params (bool FromTerminal, byte[] Bytes, double AtMs)[] packets)
    {
        using var file = new PcapngWriter(Path, "/dev/ttyUSB0", 115_200);
        foreach (var (fromTerminal, bytes, atMs) in packets)
        {
            file.Write(new LineBytes(fromTerminal, bytes, TimeSpan.FromMilliseconds(atMs)));
        }
    }

    /// <summary>Byte by byte.</summary>
    private static List<TrafficLine> Decode(bool fromTerminal, byte[] bytes)
    {
        var text = new TrafficText();
        return [.. bytes.SelectMany(b => text.Take(new LineBytes(fromTerminal, new[] { b }, TimeSpan.Zero)))];
    }

    private byte[] Frame(FrameType type, byte sequence, IMessage message) => Frame(type, sequence, MessageCodec.Encode(message, WireEncoding.Protobuf));

    private byte[] Frame(FrameType type, byte sequence, byte[] payload)
    {
        var bytes = new byte[FrameSize.OnLine(payload.Length)];
        return bytes[..writer.Write(bytes, type, sequence, payload)];
    }
}
