using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>A connection without a socket: what the client sends is a stream, what the hub sends stays in a pipe until the test takes it.</summary>
internal sealed class MemoryTransport : DefaultConnectionContext
{
    private readonly Pipe output = new(new PipeOptions(pauseWriterThreshold: 1024 * 1024, useSynchronizationContext: false));
    private readonly CancellationTokenSource closed = new();

    public MemoryTransport(PipeReader input)
    {
        Transport = new Duplex(input, output.Writer);
        RemoteEndPoint = LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 1);
        ConnectionClosed = closed.Token;
    }

    public bool IsAborted { get; private set; }

    /// <summary>What the hub has sent.</summary>
    public PipeReader Output => output.Reader;

    /// <summary>The transport is done: all is sent, or aborted.</summary>
    public void Close() => closed.Cancel();

    /// <summary>Aborting it throws.</summary>
    public bool Breaks { get; init; }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        IsAborted = true;
        if (Breaks)
        {
            throw new InvalidOperationException("a fault in a transport");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        closed.Dispose();
        await base.DisposeAsync();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
