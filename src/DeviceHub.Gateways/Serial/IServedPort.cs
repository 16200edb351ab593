namespace DeviceHub.Gateways.Serial;

/// <summary>An open port in its keeper's hands.</summary>
internal interface IServedPort : ILoopPort
{
    /// <summary>Completes when the port is served no more; null: it was stopped.</summary>
    Task<PortException?> Ending { get; }

    /// <summary>What is wrong though it is open: bytes come, but nothing that can be read; null: nothing.</summary>
    PortException? Suspicion => null;

    /// <summary>Messages that its session is handling.</summary>
    int Handling { get; }

    /// <summary>From any thread: the hub stops.</summary>
    void Stop();
}

/// <summary>What a scanner's codes come from.</summary>
public interface IPortDevice : IDisposable
{
    int Descriptor { get; }

    /// <summary>Bytes that are there; 0: none now.</summary>
    /// <exception cref="PortException">It is gone.</exception>
    int Read(Span<byte> buffer);

    /// <summary>Turns what was read into the characters of codes; what ends a code is CR.</summary>
    void Decode(ReadOnlySpan<byte> read, Action<char> character);
}
