using DeviceHub.Protocol.Serial;

namespace DeviceHub.UnitTests.Serial;

/// <summary>One end of a link in a test: what it said and was told, and bytes on the way to the other end.</summary>
internal sealed class LinkEndRecorder : ILinkHost
{
    public List<byte> Line { get; } = [];

    public List<byte[]> Delivered { get; } = [];

    public List<string> Story { get; } = [];

    public bool HasRoom { get; set; } = true;

    public Action<byte[]>? OnDelivered { get; set; }

    public void Write(ReadOnlySpan<byte> bytes) => Line.AddRange(bytes);

    public void ChangeRate(int baud) => Story.Add($"rate {baud}");

    public bool Deliver(ReadOnlySpan<byte> payload)
    {
        if (HasRoom)
        {
            Delivered.Add(payload.ToArray());
            OnDelivered?.Invoke(payload.ToArray());
        }

        return HasRoom;
    }

    public void Up() => Story.Add("up");

    public void Down(LinkEnd end, byte code) => Story.Add($"down {end} {code}");

    public byte[] TakeLine()
    {
        var bytes = Line.ToArray();
        Line.Clear();
        return bytes;
    }

    /// <summary>The frames on the line, as <c>Type sequence payload</c>; the line is empty afterwards, unless it is kept.</summary>
    public string[] TakeFrames(bool keep = false)
    {
        var reader = new FrameReader(FrameSize.LargestPayload);
        ReadOnlySpan<byte> bytes = keep ? Line.ToArray() : TakeLine();
        var frames = new List<string>();
        while (reader.TryRead(ref bytes, out var frame, out _))
        {
            frames.Add($"{frame.Type} {frame.Sequence} {Convert.ToHexStringLower(frame.Payload)}".TrimEnd());
        }

        return [.. frames];
    }

    public string[] TakeStory()
    {
        var story = Story.ToArray();
        Story.Clear();
        return story;
    }
}
