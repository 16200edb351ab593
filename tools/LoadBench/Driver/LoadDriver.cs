using System.Diagnostics;

namespace DeviceHub.Tools.LoadBench.Driver;

/// <summary>One thread, one epoll, any number of clients: the thread that calls is the one that drives.</summary>
internal sealed class LoadDriver : IDisposable
{
    private readonly Epoll epoll = new();
    private readonly byte[] buffer = new byte[64 * 1024];
    private readonly int[] ready = new int[512];
    private readonly List<(int Fd, LoadClient Client)> clients = [];
    private LoadClient?[] byFd = new LoadClient?[1024];

    public void Open(int port, LoadClient client)
    {
        var fd = epoll.Connect(port);
        if (fd >= byFd.Length)
        {
            Array.Resize(ref byFd, Math.Max(fd + 1, byFd.Length * 2));
        }

        byFd[fd] = client;
        clients.Add((fd, client));
        client.Output = bytes => Epoll.Send(fd, bytes.Span);
        client.Start();
    }

    /// <summary>Opens all, at most so many at once that are not ready yet.</summary>
    /// <returns>How long it took until the last was ready.</returns>
    public TimeSpan OpenAll(int port, IReadOnlyList<LoadClient> all, Tally tally, int atOnce, TimeSpan limit)
    {
        var from = Stopwatch.GetTimestamp();
        var readyBefore = tally.Ready;
        var failuresBefore = tally.Failures;
        for (var opened = 0; tally.Ready - readyBefore < all.Count;)
        {
            while (opened < all.Count && opened - (tally.Ready - readyBefore) < atOnce)
            {
                Open(port, all[opened++]);
            }

            Turn(20);
            if (tally.Failures > failuresBefore || Stopwatch.GetElapsedTime(from) > limit)
            {
                throw new BenchException($"only {tally.Ready - readyBefore} of {all.Count} clients became ready at port {port}: {tally.FirstFailure ?? "no answer in time"}");
            }
        }

        return Stopwatch.GetElapsedTime(from);
    }

    /// <summary>Lets clients work for a while, and then waits until what is out is answered.</summary>
    /// <returns>The time that counts: without the draining.</returns>
    public TimeSpan Run(IReadOnlyList<LoadClient> workers, Work work, Tally tally, TimeSpan duration)
    {
        tally.Reset();
        var from = Stopwatch.GetTimestamp();
        foreach (var worker in workers)
        {
            worker.SetWork(work);
        }

        while (Stopwatch.GetElapsedTime(from) < duration)
        {
            Turn(10);
        }

        var took = Stopwatch.GetElapsedTime(from);
        var (requests, heartbeats) = (tally.Requests, tally.Heartbeats);
        foreach (var worker in workers)
        {
            worker.SetWork(Work.Idle);
        }

        while (!workers.All(w => w.Drained || w.Closed))
        {
            Turn(10);
            if (Stopwatch.GetElapsedTime(from) > duration + TimeSpan.FromSeconds(15))
            {
                var stuck = workers.First(w => !w.Drained);
                throw new BenchException($"{workers.Count(w => !w.Drained)} requests were not answered within 15 s, such as {stuck.SerialNumber}'s; {tally.FirstFailure}");
            }
        }

        if (workers.FirstOrDefault(w => w.Closed) is not null)
        {
            throw new BenchException($"a connection was lost under load: {tally.FirstFailure}");
        }

        // What was answered while draining belongs to neither side of a rate.
        return took * ((double)Math.Max(1, tally.Requests + tally.Heartbeats) / Math.Max(1, requests + heartbeats));
    }

    public void CloseAll()
    {
        foreach (var (fd, _) in clients)
        {
            byFd[fd] = null;
            Epoll.Close(fd);
        }

        clients.Clear();
    }

    public void Dispose()
    {
        CloseAll();
        epoll.Dispose();
    }

    private void Turn(int timeoutMs)
    {
        var count = epoll.Wait(ready, timeoutMs);
        for (var i = 0; i < count; i++)
        {
            var fd = ready[i];
            if (byFd[fd] is not { } client)
            {
                continue;
            }

            var n = Epoll.Receive(fd, buffer);
            if (n > 0)
            {
                client.Feed(buffer.AsSpan(0, n));
            }
            else if (n == 0)
            {
                byFd[fd] = null;
                Epoll.Close(fd);
                clients.RemoveAll(c => c.Fd == fd);
                client.HasClosed("was closed by the server");
            }
        }
    }
}

/// <summary>A run that measured nothing worth reporting; the message says why.</summary>
internal sealed class BenchException(string message) : Exception(message);
