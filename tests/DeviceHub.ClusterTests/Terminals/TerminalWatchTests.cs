using System.Threading.Channels;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Protocol.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>Who looks at a terminal sees what it says and hears, and costs nothing afterwards. Each test has its own silo.</summary>
public sealed class TerminalWatchTests : IAsyncLifetime
{
    private static readonly TimeSpan Flush = TimeSpan.FromMilliseconds(300);
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000, Transaction: "T1");
    private readonly TerminalFixture hub = new();

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Watcher_sees_both_sides_of_a_payment_masked_and_in_order()
    {
        var terminal = await hub.LoggedIn();
        await using var page = await Page.Open(hub, terminal);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
        await terminal.Next(d => d.Outcome is not null);
        var talk = await page.Next(hub, messages: 2);

        Assert.Equal(WatchResult.Watching, page.Watch.Result);
        Assert.Equal([(true, "payment_request", true), (false, "outcome", true)], talk.Select(m => (m.Up, m.Kind, m.Sealed)));
        Assert.Contains("\"payment_code\":\"****6789\"", talk[0].Json, StringComparison.Ordinal);
        Assert.DoesNotContain("134567890", string.Concat(talk.Select(m => m.Json)), StringComparison.Ordinal);
        Assert.Contains("收款成功", talk[1].Json, StringComparison.Ordinal);
        Assert.All(talk, m => Assert.True(m.Bytes > 40));
    }

    [Fact]
    public async Task Watcher_sees_the_login_of_the_next_session_without_its_proof()
    {
        var first = await hub.LoggedIn();
        await using var page = await Page.Open(hub, first);
        var second = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        await second.LogIn();
        var talk = await page.Next(hub, messages: 3);

        Assert.Equal(["hello", "welcome", "synced"], talk.Select(m => m.Kind));
        Assert.Contains("\"terminal_nonce\":\"**** 16 bytes\"", talk[0].Json, StringComparison.Ordinal);
        Assert.True(await page.Changed());
    }

    [Fact]
    public async Task What_cannot_be_read_is_seen_with_the_reason()
    {
        var terminal = await hub.LoggedIn();
        await using var page = await Page.Open(hub, terminal);
        await terminal.Session.Receive("{\"payment_request\":{\"payment_code\":134567890123456789}}"u8.ToArray());
        var talk = await page.Next(hub, messages: 2);

        Assert.Equal(["unreadable", "refusal"], talk.Select(m => m.Kind));
        Assert.Contains("payment_code must be a string", talk[0].Json, StringComparison.Ordinal);
        Assert.DoesNotContain("134567890", string.Concat(talk.Select(m => m.Json)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flood_is_shown_in_part_and_the_rest_is_counted()
    {
        hub.SessionOptions.WatchedMessagesPerSecond = 5;
        var terminal = await hub.LoggedIn();
        await using var page = await Page.Open(hub, terminal);
        for (var i = 0; i < 100; i++)
        {
            await terminal.Send(new Uplink { Heartbeat = new() { UptimeS = (ulong)i } });
        }

        var talk = await page.Next(hub, messages: 5);
        Assert.Equal((5, 95L), (talk.Count, page.LeftOut));
    }

    [Fact]
    public async Task Page_that_died_is_told_nothing_after_a_minute_and_one_that_asks_again_is()
    {
        var terminal = await hub.LoggedIn();
        var dead = new Watcher();
        var reference = hub.Grains.CreateObjectReference<ITerminalObserver>(dead);
        await hub.Grain(terminal.SerialNumber).Watch(reference);
        await using var page = await Page.Open(hub, terminal);
        var asked = dead.Calls;
        for (var i = 0; i < 4; i++)
        {
            // The page asks again within the advance; from the same client the next call comes after it.
            hub.Clock.Advance(TimeSpan.FromSeconds(20));
            await hub.Grains.GetGrain<ITerminalGrain>(terminal.SerialNumber).Snapshot();
        }

        // What was on its way to it when it was forgotten has arrived after some more.
        await page.Hear(hub, terminal);
        var calls = new List<int>();
        for (var i = 0; i < 10; i++)
        {
            await terminal.Send(new Uplink { Heartbeat = new() { UptimeS = 7 } });
            Assert.Equal(["heartbeat"], (await page.Next(hub, messages: 1)).Select(m => m.Kind));
            calls.Add(dead.Calls);
        }

        Assert.True(asked > 0);
        Assert.Equal(calls[^1], calls[^5]);
        GC.KeepAlive(dead);
    }

    [Fact]
    public async Task As_many_may_look_as_the_option_says()
    {
        var terminal = await hub.LoggedIn();
        var grain = hub.Grain(terminal.SerialNumber);
        var pages = Enumerable.Range(0, 11).Select(_ => hub.Grains.CreateObjectReference<ITerminalObserver>(new Watcher())).ToList();
        var results = new List<WatchResult>();
        foreach (var page in pages)
        {
            results.Add(await grain.Watch(page));
        }

        await grain.Unwatch(pages[0]);
        results.Add(await grain.Watch(pages[10]));
        Assert.Equal([.. Enumerable.Repeat(WatchResult.Watching, 10), WatchResult.Full, WatchResult.Watching], results);
    }

    [Fact]
    public async Task Change_by_a_person_and_the_end_of_a_session_are_told()
    {
        var terminal = await hub.LoggedIn();
        await using var page = await Page.Open(hub, terminal);
        await hub.Grain(terminal.SerialNumber).Suspend(TerminalFixture.Admin);
        Assert.True(await page.Changed());
        await terminal.Session.DisposeAsync();
        Assert.True(await page.Changed());
        await using var unknown = await TerminalWatch.Begin(hub.Grains, hub.Clock, NullLogger.Instance, "NOBODY", _ => { }, () => { });
        Assert.Equal(WatchResult.UnknownTerminal, unknown.Result);
    }

    private sealed class Watcher : ITerminalObserver
    {
        public int Calls { get; private set; }

        public void Said(TerminalTalk talk) => Calls++;

        public void Changed() => Calls++;
    }

    /// <summary>A page that keeps what it was told.</summary>
    private sealed class Page : IAsyncDisposable
    {
        private readonly Channel<TerminalTalk> talks = Channel.CreateUnbounded<TerminalTalk>();
        private readonly Channel<bool> changes = Channel.CreateUnbounded<bool>();

        public TerminalWatch Watch { get; private set; } = null!;

        public long LeftOut { get; private set; }

        public static async Task<Page> Open(TerminalFixture hub, TestTerminal terminal)
        {
            var page = new Page();
            page.Watch = await TerminalWatch.Begin(
                hub.Grains, hub.Clock, NullLogger.Instance, terminal.SerialNumber, t => page.talks.Writer.TryWrite(t), () => page.changes.Writer.TryWrite(true));

            await page.Hear(hub, terminal);
            return page;
        }

        /// <summary>The session is told of a page without anybody waiting for it: from the first heartbeat that is seen it knows.</summary>
        public async Task Hear(TerminalFixture hub, TestTerminal terminal)
        {
            do
            {
                await terminal.Send(new Uplink { Heartbeat = new() });
                hub.Clock.Advance(Flush);
            }
            while (!await HasTalk());

            hub.Clock.Advance(TimeSpan.FromSeconds(1));
            while (talks.Reader.TryRead(out _) || changes.Reader.TryRead(out _))
            {
            }
        }

        public async Task<List<TerminalMessage>> Next(TerminalFixture hub, int messages)
        {
            var all = new List<TerminalMessage>();
            while (all.Count < messages)
            {
                hub.Clock.Advance(Flush);
                var talk = await talks.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
                LeftOut += talk.LeftOut;
                all.AddRange(talk.Messages);
            }

            return all;
        }

        public Task<bool> Changed() => changes.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        private async Task<bool> HasTalk()
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
            try
            {
                return await talks.Reader.WaitToReadAsync(soon.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        public ValueTask DisposeAsync() => Watch.DisposeAsync();
    }
}
