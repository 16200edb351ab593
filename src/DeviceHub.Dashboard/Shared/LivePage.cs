using DeviceHub.Core.Live;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Dashboard.Shared;

/// <summary>
/// A page that shows what is so now: it reads when it opens, and again when what it follows has changed, at most four times a second however much
/// changes, and at most a fifth of the time when its reads are slow. A read that fails leaves what was shown, and says why.
/// </summary>
public abstract partial class LivePage : ComponentBase, IAsyncDisposable
{
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource closed = new();
    private readonly List<IDisposable> watching = [];
    private ITimer? timer;
    private long lastRead;
    private TimeSpan took;
    private int waiting;
    private bool reading;
    private bool again;

    // Still there when its source is gone: a read may be under way then.
    protected LivePage() => Closed = closed.Token;

    [Inject]
    private LiveFeed Feed { get; set; } = default!;

    [Inject]
    protected TimeProvider Clock { get; private set; } = default!;

    [Inject]
    private ILoggerFactory Loggers { get; set; } = default!;

    /// <summary>Why the last read failed; null: it did not.</summary>
    protected Exception? Fault { get; private set; }

    /// <summary>There is something to show.</summary>
    protected bool Loaded { get; private set; }

    /// <summary>Ends with the page.</summary>
    protected CancellationToken Closed { get; }

    /// <summary>Reads all that the page shows. Called again for each change.</summary>
    protected abstract Task Read(CancellationToken stop);

    /// <summary>From now on these topics of <see cref="LiveFeed"/>, and no others.</summary>
    protected void Follow(params IEnumerable<string> topics)
    {
        Unfollow();
        watching.AddRange(topics.Select(topic => Feed.Watch(topic, Changed)));
    }

    /// <summary>Reads now: what is wanted has changed.</summary>
    protected async Task Refresh()
    {
        if (reading)
        {
            again = true;
            return;
        }

        reading = true;
        do
        {
            again = false;
            lastRead = Clock.GetTimestamp();
            await ReadOnce();
            took = Clock.GetElapsedTime(lastRead);

            // After each: while reads are slow and there is always something new, a page would show nothing at all.
            if (!Closed.IsCancellationRequested)
            {
                StateHasChanged();
            }
        }
        while (again && !Closed.IsCancellationRequested);
        reading = false;
    }

    /// <summary>Something that the page shows has changed; may be called on any thread.</summary>
    protected void Changed()
    {
        if (Interlocked.Exchange(ref waiting, 1) == 0)
        {
            var due = (took * 5 > Pace ? took * 5 : Pace) - Clock.GetElapsedTime(Volatile.Read(ref lastRead));
            timer?.Change(due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Before the page follows anything: a change that came in between would be waited for for ever.</summary>
    protected override void OnInitialized() => timer = Clock.CreateTimer(_ => Due(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    protected override Task OnInitializedAsync() => Refresh();

    public virtual async ValueTask DisposeAsync()
    {
        Unfollow();
        await closed.CancelAsync();
        if (timer is not null)
        {
            await timer.DisposeAsync();
        }

        closed.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task ReadOnce()
    {
        try
        {
            await Read(Closed);
            (Fault, Loaded) = (null, true);
        }
        catch (OperationCanceledException) when (Closed.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            LogNotRead(Loggers.CreateLogger(GetType()), e, GetType().Name);
            Fault = e;
        }
    }

    private void Due()
    {
        Volatile.Write(ref waiting, 0);
        if (!Closed.IsCancellationRequested)
        {
            _ = InvokeAsync(Refresh);
        }
    }

    private void Unfollow()
    {
        watching.ForEach(w => w.Dispose());
        watching.Clear();
    }

    [LoggerMessage(EventName = "PageNotRead", Level = LogLevel.Warning, Message = "The page {Page} could not be read")]
    private static partial void LogNotRead(ILogger logger, Exception e, string page);
}
