namespace DeviceHub.Tools.LoadBench.Driver;

/// <summary>Against an echo: sends the same payload, as large as a sealed payment request, and waits until it comes back.</summary>
internal sealed class EchoClient(string serialNumber, Tally tally, int payloadBytes) : LoadClient(serialNumber, tally)
{
    private readonly byte[] request = Packets.Publish($"dh/v1/{serialNumber}/up", new byte[payloadBytes].AsSpan());

    protected override byte[] Heartbeat => request;

    protected override void LogIn() => BecomeReady();

    protected override Memory<byte> NextRequest() => request;

    protected override bool Answers(ReadOnlySpan<byte> payload) => payload.Length == payloadBytes;
}
