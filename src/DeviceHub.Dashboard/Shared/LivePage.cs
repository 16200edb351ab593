using DeviceHub.Core.Live;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Dashboard.Shared;

/// <summary>
/// A page that shows what is so now: it reads when it opens, and again when what it follows has changed, at most four times a second however much
/// changes. A read that fails leaves what was shown, and says why.
/// </summary>
public abstract partial class LivePage : ComponentBase, IAsyncDisposable
{
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    private readonly CancellationTokenSource closed = new();
    private readonly List<IDisposable> watching = [];
    private ITimer? timer;
    private long lastRead;
    private int waiting;
    private bool reading;
    private bool again;

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
    protected CancellationToken Closed => closed.Token;

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
        try
        {
            do
            {
                again = false;
                lastRead = Clock.GetTimestamp();
                await Read(Closed);
            }
            while (again);
            (Fault, Loaded) = (null, true);
        }
        catch (OperationCanceledException) when (closed.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            LogNotRead(Loggers.CreateLogger(GetType()), e, GetType().Name);
            Fault = e;
        }
        finally
        {
            reading = false;
        }

        if (!closed.IsCancellationRequested)
        {
            StateHasChanged();
        }
    }

    /// <summary>Something that the page shows has changed; may be called on any thread.</summary>
    protected void Changed()
    {
        if (Interlocked.Exchange(ref waiting, 1) == 0)
        {
            var due = Pace - Clock.GetElapsedTime(Volatile.Read(ref lastRead));
            timer?.Change(due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    protected override async Task OnInitializedAsync()
    {
        timer = Clock.CreateTimer(_ => Due(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await Refresh();
    }

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

    private void Due()
    {
        Volatile.Write(ref waiting, 0);
        if (!closed.IsCancellationRequested)
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
