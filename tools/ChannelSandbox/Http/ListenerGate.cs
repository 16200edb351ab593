using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace DeviceHub.Tools.ChannelSandbox.Http;

/// <summary>Kestrel's listeners, which can be closed for a while: who connects is refused by the operating system, as when a server is down.</summary>
internal sealed class ListenerGate(TimeProvider time, ILoggerFactory logs) : IConnectionListenerFactory
{
    private readonly SocketTransportFactory sockets = new(Options.Create(new SocketTransportOptions { UnsafePreferInlineScheduling = true }), logs);
    private readonly List<GatedListener> listeners = [];
    private volatile TaskCompletionSource? closed;

    public bool IsClosed => closed is not null;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = new GatedListener(this, await sockets.BindAsync(endpoint, cancellationToken));
        lock (listeners)
        {
            listeners.Add(listener);
        }

        return listener;
    }

    /// <summary>Refuses connections for so long; while it does, another call changes nothing.</summary>
    public async Task Close(TimeSpan howLong)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref closed, gate, null) is not null)
        {
            return;
        }

        List<GatedListener> all;
        lock (listeners)
        {
            all = [.. listeners];
        }

        foreach (var listener in all)
        {
            await listener.Stop();
        }

        await Task.Delay(howLong, time);
        closed = null;
        gate.SetResult();
    }

    private sealed class GatedListener(ListenerGate gate, IConnectionListener first) : IConnectionListener
    {
        private IConnectionListener current = first;
        private volatile bool ended;

        public EndPoint EndPoint { get; } = first.EndPoint;

        public Task Stop() => current.UnbindAsync().AsTask();

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                if (await current.AcceptAsync(cancellationToken) is { } connection)
                {
                    return connection;
                }

                if (ended || gate.closed is not { } closed)
                {
                    return null;
                }

                await closed.Task.WaitAsync(cancellationToken);
                await current.DisposeAsync();
                if (ended)
                {
                    return null;
                }

                current = await gate.sockets.BindAsync(EndPoint, cancellationToken);
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            ended = true;
            return current.UnbindAsync(cancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            ended = true;
            return current.DisposeAsync();
        }
    }
}
