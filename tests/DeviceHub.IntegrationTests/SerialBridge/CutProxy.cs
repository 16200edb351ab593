using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace DeviceHub.IntegrationTests.SerialBridge;

/// <summary>The network between a store and its hub: it carries TCP, holds bytes of either direction back, and breaks.</summary>
internal sealed class CutProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, byte> ends = new();
    private readonly CancellationTokenSource stop = new();
    private readonly int target;
    private readonly Task accepting;
    private TaskCompletionSource up = Opened();
    private TaskCompletionSource down = Opened();
    private volatile bool broken;

    public CutProxy(int target, bool broken = false)
    {
        this.target = target;
        this.broken = broken;
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        accepting = Task.Run(Accept);
    }

    public int Port { get; }

    /// <summary>Connections that were made, also those that were ended at once.</summary>
    public int Connections { get; private set; }

    /// <summary>What the store sends from now on does not arrive, and nobody is told.</summary>
    public void HoldUp() => up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the hub sends from now on does not arrive, and nobody is told.</summary>
    public void HoldDown() => down = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Every connection is reset, what was held is lost, and there is no other until <see cref="Mend"/>.</summary>
    public void Break()
    {
        broken = true;
        foreach (var end in ends.Keys)
        {
            Reset(end);
        }

        up.TrySetResult();
        down.TrySetResult();
    }

    public void Mend() => broken = false;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        Break();
        listener.Stop();
        await accepting;
        stop.Dispose();
    }

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }

    private static void Reset(TcpClient end)
    {
        try
        {
            end.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or NullReferenceException)
        {
            // It was closed from the other side just now.
        }

        end.Close();
    }

    private async Task Accept()
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var store = await listener.AcceptTcpClientAsync(stop.Token);
                Connections++;
                if (broken)
                {
                    Reset(store);
                    continue;
                }

                var hub = new TcpClient { NoDelay = true };
                store.NoDelay = true;
                await hub.ConnectAsync(IPAddress.Loopback, target, stop.Token);
                ends[store] = 0;
                ends[hub] = 0;
                _ = Carry(store, hub, () => up);
                _ = Carry(hub, store, () => down);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task Carry(TcpClient from, TcpClient to, Func<TaskCompletionSource> gate)
    {
        var buffer = new byte[16_384];
        try
        {
            int read;
            while ((read = await from.GetStream().ReadAsync(buffer)) > 0)
            {
                await gate().Task;
                await to.GetStream().WriteAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Broken, here or at an end.
        }

        ends.TryRemove(from, out _);
        from.Close();
        to.Close();
    }
}
