using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Notices;

/// <summary>What became of one try.</summary>
/// <param name="Status">0: nobody answered.</param>
internal sealed record NoticeResult(int Status, string Body, bool Taken);

/// <summary>
/// Tells merchants what happened, again and again until they have taken it or the channel gives up. Only addresses on loopback are told:
/// a sandbox calls nobody else. What is not told when the process ends is not told at all.
/// </summary>
internal sealed class NoticeSender(INoticeWriter[] writers, SandboxOptions options, TimeProvider time) : IAsyncDisposable
{
    private const int MaxUnderWay = 5000;
    private const int MaxAnswer = 4096;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Overtaken = TimeSpan.FromSeconds(2);

    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Patience, MaxResponseContentBufferSize = MaxAnswer };
    private readonly CancellationTokenSource ending = new();
    private int underWay;

    /// <summary>Notices that found no room.</summary>
    public int Dropped { get; private set; }

    public void Tell(Order order, Refund? refund)
    {
        if (order.NotifyUrl is null && refund?.NotifyUrl is null)
        {
            return;
        }

        if (Address(order, refund) is not { } url || order.Traits.HasFlag(Traits.NoticesLost))
        {
            return;
        }

        if (Interlocked.Increment(ref underWay) > MaxUnderWay)
        {
            Interlocked.Decrement(ref underWay);
            Dropped++;
            return;
        }

        _ = Deliver(order, refund, url);
    }

    /// <summary>One try, now.</summary>
    public async Task<NoticeResult> Send(Told told, Uri url)
    {
        var writer = WriterOf(told.Order, told.Refund)!;
        var notice = writer.Write(told);
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(notice.Body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", notice.ContentType);
        foreach (var (name, value) in notice.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var response = await http.SendAsync(request, ending.Token);
            var body = await response.Content.ReadAsStringAsync(ending.Token);
            return new((int)response.StatusCode, body, writer.IsTaken((int)response.StatusCode, body));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return new(0, e.Message, false);
        }
    }

    public INoticeWriter? WriterOf(Order order, Refund? refund) => Array.Find(writers, w => w.Tells(order, refund));

    /// <summary>Null: it is not told there.</summary>
    public static Uri? Loopback(string? url) => Uri.TryCreate(url, UriKind.Absolute, out var address) && address.IsLoopback && address.Scheme is "http" or "https" ? address : null;

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        http.Dispose();
        ending.Dispose();
    }

    /// <summary>Alipay tells of refunds where it told of the payment.</summary>
    private Uri? Address(Order order, Refund? refund) =>
        WriterOf(order, refund) is null ? null
        : Loopback(refund is null ? order.NotifyUrl : order.Key.Channel == Channel.Alipay ? refund.NotifyUrl ?? order.NotifyUrl : refund.NotifyUrl);

    private async Task Deliver(Order order, Refund? refund, Uri url)
    {
        try
        {
            if (refund is null && order.Traits.HasFlag(Traits.NoticesReordered))
            {
                await Task.Delay(Overtaken, time, ending.Token);
            }

            var told = new Told(order, refund, order.Traits.HasFlag(Traits.NoticesForged), order.Traits.HasFlag(Traits.NoticesWrongAmount) ? 1 : 0);
            var taken = (await Send(told, url)).Taken;
            if (order.Traits.HasFlag(Traits.NoticeTwice))
            {
                taken = (await Send(told, url)).Taken;
            }

            foreach (var wait in WriterOf(order, refund)!.Waits)
            {
                if (taken)
                {
                    break;
                }

                await Task.Delay(wait / options.NoticeSpeed, time, ending.Token);
                taken = (await Send(told, url)).Taken;
            }
        }
        catch (OperationCanceledException)
        {
            // The sandbox ends.
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }
}
