using System.Security.Cryptography;
using DeviceHub.Protocol.Serial;
using DeviceHub.Tools.Bench.Line;

namespace DeviceHub.Tools.Bench.Emulation;

/// <summary>An emulated terminal on a serial line. Thread-safe.</summary>
internal sealed class SerialTerminal : ILinkHost, ITerminalWire, IDisposable
{
    private const int TickMs = 5;
    private const int LargestPayload = 2048;
    private const int BackOffMs = 1000;

    private readonly Lock gate = new();
    private readonly SerialLine line;
    private readonly EmulatedTerminal terminal;
    private readonly TerminalLink link;
    private readonly FaultyWriter writer;
    private readonly int jitterMs;
    private readonly Timer ticking;
    private long startDue = long.MaxValue;

    /// <param name="stallMs">What HELLO states; less than it really needs makes a faulty one.</param>
    /// <param name="jitterMs">The most that is added to a back-off that the hub asked for; 30,000 in the field.</param>
    public SerialTerminal(SerialLine line, EmulatedTerminal terminal, string serialNumber, Fault fault, int stallMs, IReadOnlyList<int> rates, int jitterMs)
    {
        (this.line, this.terminal, this.jitterMs) = (line, terminal, jitterMs);
        writer = new FaultyWriter(line, fault, stallMs);
        var sameId = NewBootId();
        link = new TerminalLink(
            this, line.Rate, new LinkHello(0, LargestPayload, stallMs, serialNumber, rates), () => fault == Fault.SameBootId ? sameId : NewBootId());
        line.Start(Receive);
        lock (gate)
        {
            link.Start(NowMs);
        }

        ticking = new Timer(_ => Tick(), null, 0, TickMs);
    }

    public string Name => "serial";

    private static long NowMs => (long)SerialLine.Now.TotalMilliseconds;

    /// <summary>Something that is done to the terminal by hand.</summary>
    public void Do(Action<EmulatedTerminal, long> what)
    {
        lock (gate)
        {
            what(terminal, NowMs);
            terminal.Poll(this, NowMs);
        }
    }

    /// <summary>Off and on again.</summary>
    public void PowerCut(bool factoryReset = false)
    {
        lock (gate)
        {
            if (factoryReset)
            {
                terminal.FactoryReset(NowMs);
            }
            else
            {
                terminal.PowerCut(NowMs);
            }

            link.Start(NowMs);
        }
    }

    public bool TrySend(byte[] payload) => link.TrySend(payload, NowMs);

    public void Restart() => link.Start(NowMs);

    void ILinkHost.Write(ReadOnlySpan<byte> bytes) => writer.Write(bytes, NowMs);

    void ILinkHost.ChangeRate(int baud) => line.Rate = baud;

    bool ILinkHost.Deliver(ReadOnlySpan<byte> payload)
    {
        terminal.Receive(this, payload, NowMs);
        return true;
    }

    void ILinkHost.Up() => terminal.Connected(NowMs);

    void ILinkHost.Down(LinkEnd end, byte code)
    {
        terminal.Disconnected();
        startDue = end == LinkEnd.Closed && code != 0 ? NowMs + BackOffMs + RandomNumberGenerator.GetInt32(jitterMs + 1) : long.MaxValue;
    }

    public void Dispose()
    {
        ticking.Dispose();
        line.Dispose();
    }

    private static uint NewBootId() => (uint)RandomNumberGenerator.GetInt32(1, int.MaxValue);

    private void Receive(ReadOnlyMemory<byte> bytes, TimeSpan at)
    {
        lock (gate)
        {
            link.Receive(bytes.Span, NowMs);
            terminal.Poll(this, NowMs);
        }
    }

    /// <summary>As the bench's own: no tick waits for its turn.</summary>
    private void Tick()
    {
        if (!gate.TryEnter())
        {
            return;
        }

        try
        {
            var now = NowMs;
            if (now >= startDue)
            {
                startDue = long.MaxValue;
                link.Start(now);
            }

            link.Tick(now);
            terminal.Poll(this, now);
            writer.Tick(now);
        }
        finally
        {
            gate.Exit();
        }
    }
}
