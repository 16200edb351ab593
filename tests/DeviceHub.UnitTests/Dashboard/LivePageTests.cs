using DeviceHub.Core.Live;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>When a live page reads, and when it shows what it has read.</summary>
public sealed class LivePageTests : IAsyncDisposable
{
    private readonly FakeTimeProvider clock = new();
    private readonly LiveFeed feed = new();
    private readonly Reads reads = new();
    private readonly RenderedPages pages;

    public LivePageTests() => pages = new(new ServiceCollection().AddSingleton<TimeProvider>(clock).AddSingleton(feed).AddSingleton(reads));

    public ValueTask DisposeAsync() => pages.DisposeAsync();

    [Fact]
    public async Task Change_that_comes_before_the_first_read_is_read_too()
    {
        reads.WhenFollowed = () => feed.Changed("topic");
        var page = await pages.Open<Page>();
        await Answer("first");
        clock.Advance(LivePage.Pace);
        await Answer("second");
        Assert.Equal("second", await pages.Html(page));
    }

    [Fact]
    public async Task Changes_are_read_four_times_a_second_however_many_there_are()
    {
        await pages.Open<Page>();
        await Answer("first");
        for (var ms = 0; ms < 1000; ms += 10)
        {
            feed.Changed("topic");
            clock.Advance(TimeSpan.FromMilliseconds(10));
            await pages.Settle();
            reads.Next?.TrySetResult("again");
            await pages.Settle();
        }

        Assert.InRange(reads.Count, 4, 5);
    }

    [Fact]
    public async Task Each_read_is_shown_though_something_new_came_while_it_was_read()
    {
        var page = await pages.Open<Page>();
        await Answer("first");
        feed.Changed("topic");
        clock.Advance(LivePage.Pace);
        await pages.Settle();
        feed.Changed("topic");
        clock.Advance(LivePage.Pace);
        await pages.Settle();
        await Answer("second");
        Assert.Equal(3, reads.Count);
        Assert.Equal("second", await pages.Html(page));
    }

    [Fact]
    public async Task Search_that_was_changed_while_a_read_failed_is_read_all_the_same()
    {
        var page = await pages.Open<Page>();
        await Answer("first");
        feed.Changed("topic");
        clock.Advance(LivePage.Pace);
        await pages.Settle();
        await pages.Do(() => _ = reads.Page!.Search());
        reads.Next!.SetException(new TimeoutException());
        await pages.Settle();
        Assert.Equal("first TimeoutException", await pages.Html(page));
        await Answer("second");
        Assert.Equal("second", await pages.Html(page));
    }

    [Fact]
    public async Task Page_that_is_closed_follows_nothing_and_reads_no_more()
    {
        await pages.Open<Page>();
        await Answer("first");
        feed.Changed("topic");
        await pages.Close();
        Assert.False(feed.IsWatched);
        clock.Advance(LivePage.Pace);
        feed.Changed("topic");
        clock.Advance(LivePage.Pace);
        await pages.Settle();
        Assert.Equal(1, reads.Count);
    }

    private async Task Answer(string with)
    {
        await pages.Settle();
        reads.Next!.SetResult(with);
        await pages.Settle();
    }

    private sealed class Reads
    {
        public int Count { get; set; }
        public TaskCompletionSource<string>? Next { get; set; }
        public Action? WhenFollowed { get; set; }
        public Page? Page { get; set; }
    }

    private sealed class Page : LivePage
    {
        private string? text;

        [Inject]
        private Reads Reads { get; set; } = default!;

        public Task Search() => Refresh();

        protected override async Task OnInitializedAsync()
        {
            Reads.Page = this;
            Follow("topic");
            Reads.WhenFollowed?.Invoke();
            await base.OnInitializedAsync();
        }

        protected override async Task Read(CancellationToken stop)
        {
            Reads.Count++;
            Reads.Next = new();
            text = await Reads.Next.Task;
        }

        protected override void BuildRenderTree(RenderTreeBuilder builder) => builder.AddContent(0, Fault is null ? text : $"{text} {Fault.GetType().Name}");
    }
}
