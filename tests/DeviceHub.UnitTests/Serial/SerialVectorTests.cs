using System.IO.Hashing;
using System.Text.Json.Nodes;
using DeviceHub.Protocol.Serial;
using DeviceHub.UnitTests.Protocol;

namespace DeviceHub.UnitTests.Serial;

/// <summary>firmware-protocol/vectors/serial.json, which a program of its own has made, against this codec.</summary>
public sealed class SerialVectorTests
{
    public static TheoryData<string> Names => [.. Vectors.Read("serial.json").Select(v => Text(v!, "name")!)];

    [Fact]
    public void The_CRC_is_the_one_that_the_specification_names() => Assert.Equal(0xCBF43926u, Crc32.HashToUInt32("123456789"u8));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_vector_is_read_as_it_says_however_it_is_cut(string name)
    {
        var vector = Find(name);
        var bytes = Bytes(vector, "hex")!;
        foreach (var cut in new[] { 1, 2, 7, bytes.Length })
        {
            var reader = new FrameReader((int)vector["largest_payload"]!);
            var found = new List<string>();
            var faults = new List<FrameFault>();
            for (var at = 0; at < bytes.Length; at += cut)
            {
                Read(reader, bytes.AsSpan(at, Math.Min(cut, bytes.Length - at)), found, faults);
            }

            string[] wanted = vector["type"] is null ? [] : [$"{(int)vector["type"]!} {(int)vector["sequence"]!} {Text(vector, "payload")}"];
            Assert.Equal(wanted, found);
            Assert.Equal((int)vector["bad"]!, faults.Count);
            Assert.Equal(Text(vector, "error"), faults.Count > 0 ? faults[^1].ToString() : null);
        }
    }

    [Fact]
    public void What_the_vectors_say_was_written_is_written_so()
    {
        foreach (var vector in Vectors.Read("serial.json").Where(v => (bool)v!["written"]!))
        {
            var payload = Bytes(vector!, "payload")!;
            var line = new byte[FrameSize.OnLine(payload.Length)];
            var length = new FrameWriter(payload.Length).Write(line, (FrameType)(int)vector!["type"]!, (byte)(int)vector["sequence"]!, payload);
            Assert.Equal(Text(vector, "hex"), Convert.ToHexStringLower(line.AsSpan(0, length)));
        }
    }

    [Fact]
    public void A_HELLO_is_read_and_judged_and_written_as_the_vectors_say()
    {
        var judged = 0;
        foreach (var vector in Vectors.Read("serial.json").Where(v => v!["type"] is { } type && (int)type == (int)FrameType.Hello))
        {
            var result = LinkHello.TryRead(Bytes(vector!, "payload"), out var hello, out var bootId);
            Assert.True((int)vector!["result"]! == (int)result, Text(vector, "name"));
            judged++;
            if (result != HelloResult.Linked)
            {
                Assert.Null(hello);
                continue;
            }

            var largest = (int)vector["stated_payload"]!;
            var stall = (int)vector["stall_ms"]!;
            Assert.Equal((uint)vector["boot_id"]!, bootId);
            Assert.Equal(
                (bootId, largest == 0 ? 512 : largest, stall == 0 ? 300 : stall, Text(vector, "serial_number")),
                (hello!.BootId, hello.LargestPayload, hello.StallMs, hello.SerialNumber));
            Assert.Equal(vector["rates"]!.AsArray().Select(r => (int)r!), hello.Rates);
            if (largest != 0 && stall != 0)
            {
                var written = new byte[LinkHello.MaxBytes];
                Assert.Equal(Text(vector, "payload"), Convert.ToHexStringLower(written.AsSpan(0, hello.Write(written))));
            }
        }

        Assert.True(judged >= 15, $"only {judged}");
    }

    [Fact]
    public void A_REPLY_is_read_and_written_as_the_vectors_say()
    {
        foreach (var vector in Vectors.Read("serial.json").Where(v => v!["type"] is { } type && (int)type == (int)FrameType.Reply))
        {
            Assert.True(LinkReply.TryRead(Bytes(vector!, "payload"), out var reply));
            Assert.Equal(
                new LinkReply((uint)vector!["boot_id"]!, (HelloResult)(int)vector["result"]!, (int)vector["stated_payload"]!, (int)vector["rate"]!), reply);
            var written = new byte[LinkReply.Bytes];
            reply.Write(written);
            Assert.Equal(Text(vector, "payload"), Convert.ToHexStringLower(written));
            Assert.False(LinkReply.TryRead(written.AsSpan(0, LinkReply.Bytes - 1), out _));
        }
    }

    [Fact]
    public void The_worked_bytes_of_the_specification_are_frames_of_the_vectors_kind()
    {
        var text = File.ReadAllLines(Path.Combine(Vectors.Folder, "serial.md")).SkipWhile(l => l != "## Worked bytes").Skip(5).TakeWhile(l => l != "```").ToArray();
        var found = new List<string>();
        foreach (var line in text)
        {
            var faults = new List<FrameFault>();
            Read(new FrameReader(512), Convert.FromHexString(line[(line.LastIndexOf(' ') + 1)..]), found, faults);
            Assert.Empty(faults);
        }

        Assert.Equal(8, found.Count);
    }

    private static JsonNode Find(string name) => Vectors.Read("serial.json").Single(v => Text(v!, "name") == name)!;

    private static void Read(FrameReader reader, ReadOnlySpan<byte> bytes, List<string> found, List<FrameFault> faults)
    {
        while (true)
        {
            if (reader.TryRead(ref bytes, out var frame, out var fault))
            {
                found.Add($"{(int)frame.Type} {frame.Sequence} {Convert.ToHexStringLower(frame.Payload)}");
            }
            else if (fault == FrameFault.None)
            {
                Assert.True(bytes.IsEmpty);
                return;
            }
            else
            {
                faults.Add(fault);
            }
        }
    }

    private static byte[]? Bytes(JsonNode vector, string name) => Text(vector, name) is { } hex ? Convert.FromHexString(hex) : null;

    private static string? Text(JsonNode vector, string name) => (string?)vector[name];
}
