using CsCheck;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.UnitTests.Routing;

/// <summary>Health and day totals as they come of what the payments report.</summary>
public sealed class RoutingCoreTests
{
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS");
    private static readonly ChannelVerdict Lost = new(Verdict.Unknown, "timeout");

    private readonly FakeTimeProvider clock = new(new(2026, 11, 26, 15, 0, 0, TimeSpan.Zero));
    private readonly ChannelAccountBook book;
    private readonly RoutingCore core;

    public RoutingCoreTests()
    {
        var options = Options.Create(new RoutingOptions());
        book = new ChannelAccountBook(options);
        core = new RoutingCore(book, options, clock);
    }

    [Fact]
    public void Account_that_does_not_answer_is_left_for_another_tried_after_a_while_and_taken_back()
    {
        Add("A", 1);
        Add("B", 2);
        Assert.Equal("A", Choose());
        for (var i = 0; i < 5; i++)
        {
            core.Learn(Lesson("A", Lost));
        }

        Assert.Equal("B", Choose());
        clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal("A", Choose());
        Assert.Equal("B", Choose());

        // The first try fails: twice the wait.
        core.Learn(Lesson("A", Lost, tookSeconds: 0));
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal("B", Choose());
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("A", Choose());
        core.Learn(Lesson("A", Paid, tookSeconds: 0));
        Assert.Equal("A", Choose());
        core.Learn(Lesson("A", Paid, tookSeconds: 0));
        Assert.Equal(Circuit.Closed, core.Standing(book.Known("A")!, clock.GetUtcNow()).Circuit.Circuit);
    }

    [Fact]
    public void Request_for_one_channel_sees_no_account_at_another()
    {
        var only = Request() with { OnlyChannel = "sandbox" };
        Assert.Equal(only.MerchantId, core.Choose(only).Account?.Id);
        Assert.Null(core.Choose(only with { OnlyChannel = "wechat-v3" }).Account);
        Add("A", 1);
        Assert.Equal("A", core.Choose(only with { OnlyChannel = book.Known("A")!.Channel }).Account?.Id);
        Assert.Null(core.Choose(only with { OnlyChannel = "other" }).Account);
    }

    [Fact]
    public void Request_for_one_channel_is_no_try_of_an_account_that_had_failed()
    {
        Add("A", 1);
        for (var i = 0; i < 5; i++)
        {
            core.Learn(Lesson("A", Lost));
        }

        clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal("A", core.Choose(Request() with { OnlyChannel = book.Known("A")!.Channel }).Account?.Id);
        Assert.False(core.Standing(book.Known("A")!, clock.GetUtcNow()).Circuit.Probing);
        Assert.Equal("A", Choose());
        Assert.True(core.Standing(book.Known("A")!, clock.GetUtcNow()).Circuit.Probing);
    }

    [Fact]
    public void Slow_answers_open_the_circuit_too()
    {
        Add("A", 1);
        Add("B", 2);
        for (var i = 0; i < 5; i++)
        {
            core.Learn(Lesson("A", Paid, tookSeconds: 7));
        }

        Assert.Equal("B", Choose());
        Assert.Contains("and 5 were slow", core.Explain(Request()).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Answer_to_what_was_sent_before_the_try_says_nothing_of_it()
    {
        Add("A", 1);
        Add("B", 2);
        for (var i = 0; i < 5; i++)
        {
            core.Learn(Lesson("A", Lost));
        }

        clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal("A", Choose());
        clock.Advance(TimeSpan.FromSeconds(1));
        core.Learn(Lesson("A", Lost, tookSeconds: 10));
        Assert.Equal(new CircuitView(Circuit.HalfOpen, 6, 6, 0, TimeSpan.Zero, true), core.Standing(book.Known("A")!, clock.GetUtcNow()).Circuit);
    }

    [Fact]
    public void Declines_and_answered_queries_open_nothing()
    {
        Add("A", 1);
        for (var i = 0; i < 50; i++)
        {
            core.Learn(Lesson("A", new(Verdict.Declined, "NOTENOUGH")));
            core.Learn(Lesson("A", new(Verdict.Unknown, "strange"), EffectKind.Query));
        }

        Assert.Equal(Circuit.Closed, core.Standing(book.Known("A")!, clock.GetUtcNow()).Circuit.Circuit);
    }

    [Fact]
    public void What_an_account_took_counts_until_midnight_of_its_own_time_zone()
    {
        Add("A", 1, t => t with { DayLimitFen = 1500 });
        Assert.Equal("A", Choose());
        core.Learn(Lesson("A", Paid));
        Assert.Null(Choose());
        Assert.Contains("only 5.00 yuan are left of the day limit", core.Explain(Request()).Why, StringComparison.Ordinal);

        // 23:00 in China.
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("A", Choose());
    }

    [Fact]
    public void Payments_that_run_count_for_the_day_limit_until_they_are_settled()
    {
        Add("A", 1, t => t with { DayLimitFen = 2500 });
        Assert.Equal(["A", "A", null], Payments("p1", "p2", "p3").Select(Of));
        Assert.Equal("A", Of(Payments("p1")[0]));
        Assert.Equal(0, core.Standing(book.Known("A")!, clock.GetUtcNow()).TodayFen);

        // What may still be charged counts; what was refused gives its room free, and what was paid is taken.
        core.Learn(Lesson("A", Lost) with { Payment = new("SN1", "p1") });
        Assert.Null(Of(Payments("p3")[0]));
        core.Learn(Lesson("A", new(Verdict.Closed, "CLOSED"), EffectKind.Query) with { Payment = new("SN1", "p1") });
        Assert.Equal("A", Of(Payments("p3")[0]));
        core.Learn(Lesson("A", Paid) with { Payment = new("SN1", "p2") });
        Assert.Null(Of(Payments("p4")[0]));
        Assert.Equal(1000, core.Standing(book.Known("A")!, clock.GetUtcNow()).TodayFen);

        // Of p3 nothing was heard.
        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal("A", Of(Payments("p4")[0]));

        string? Of(RouteRequest request) => core.Choose(request).Account?.Id;
    }

    [Fact]
    public async Task Payments_that_are_chosen_for_at_the_same_moment_do_not_pass_the_day_limit()
    {
        Add("A", 1, t => t with { DayLimitFen = 25_500 });
        var requests = Payments([.. Enumerable.Range(0, 400).Select(n => $"p{n}")]);
        var taken = 0;
        await Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = 8 }, (request, _) =>
        {
            Interlocked.Add(ref taken, core.Choose(request).Account is null ? 0 : 1);
            return ValueTask.CompletedTask;
        });
        Assert.Equal(25, taken);
    }

    [Fact]
    public void What_was_taken_before_the_start_counts_only_today()
    {
        Add("A", 1, t => t with { DayLimitFen = 1500 });
        var account = book.Known("A")!;
        core.Restore("A", account.Terms.DayOf(clock.GetUtcNow()), 1000);
        Assert.Equal(1000, core.Standing(account, clock.GetUtcNow()).TodayFen);
        core.Restore("A", account.Terms.DayOf(clock.GetUtcNow()).AddDays(-1), 700);
        Assert.Equal(1000, core.Standing(account, clock.GetUtcNow()).TodayFen);
        Assert.Equal(0, core.Standing(account, clock.GetUtcNow().AddDays(1)).TodayFen);
    }

    [Fact]
    public void Merchant_without_accounts_goes_to_the_default_channel_once_and_to_none_when_there_is_none()
    {
        var route = core.Choose(Request());
        Assert.Equal(("M1", "sandbox"), (route.Account!.Id, route.Account.Channel));
        Assert.Null(core.Choose(Request() with { Tried = ["M1"] }).Account);
        var none = Options.Create(new RoutingOptions { DefaultChannel = "" });
        var refused = new RoutingCore(new ChannelAccountBook(none), none, clock).Choose(Request());
        Assert.Equal((null, "the merchant has no channel account, and there is no default channel"), (refused.Account, refused.Why));
        Assert.NotNull(book.Find("M1"));
        Assert.Null(book.Find(ChannelAccount.IdPrefix + "00"));
    }

    [Fact]
    public void Merchant_whose_accounts_are_all_disabled_does_not_fall_back_to_the_default_channel()
    {
        Add("A", 1, t => t with { Enabled = false });
        Assert.Null(Choose());
        Assert.Equal("A", book.Find("A")!.Id);
    }

    [Fact]
    public void Older_version_does_not_come_back_over_a_newer_one()
    {
        Add("A", 1);
        var first = book.Known("A")!;
        var second = first.With(new Dictionary<string, string?> { ["number"] = "2" }, _ => false, clock.GetUtcNow());
        book.Put(second);
        book.Put(first);
        Assert.Same(second, book.Find("A"));
        Assert.Same(second, Assert.Single(book.Of("M1")));
    }

    [Fact]
    public void Breaker_whatever_it_learns_comes_back_when_the_account_does() =>
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Int[0, 60]).Array[0, 60].Sample(history =>
        {
            var options = new RoutingOptions();
            var breaker = new CircuitBreaker(options);
            var now = TimeSpan.Zero;
            foreach (var (failed, slow, seconds) in history)
            {
                now += TimeSpan.FromSeconds(seconds);
                if (breaker.View(now) is { Takes: true, Circuit: Circuit.HalfOpen })
                {
                    breaker.Probe(now);
                }

                breaker.Learn(failed, slow, TimeSpan.Zero, now);
                Assert.True(breaker.View(now).OpenFor <= options.BreakerMaxOpenFor);
            }

            for (var tries = 0; tries < options.BreakerProbes && breaker.View(now).Circuit != Circuit.Closed; tries++)
            {
                now += breaker.View(now).OpenFor + options.BreakerOpenFor;
                Assert.True(breaker.View(now).Takes);
                breaker.Probe(now);
                breaker.Learn(false, false, TimeSpan.Zero, now);
            }

            Assert.Equal(Circuit.Closed, breaker.View(now).Circuit);
        });

    private RouteRequest[] Payments(params string[] ids) => [.. ids.Select(id => Request() with { Payment = new("SN1", id) })];

    private string? Choose() => core.Choose(Request()).Account?.Id;

    private RouteRequest Request() => new("M1", "S1", Wallet.WeChat, 1000, clock.GetUtcNow(), []);

    private RouteLesson Lesson(string account, ChannelVerdict verdict, EffectKind call = EffectKind.Pay, int tookSeconds = 1) =>
        new(account, call, verdict, TimeSpan.FromSeconds(tookSeconds), 1000, clock.GetUtcNow());

    private void Add(string id, int priority, Func<AccountTerms, AccountTerms>? terms = null) =>
        book.Put(new() { Id = id, MerchantId = "M1", Channel = "sandbox", Version = 1, Terms = (terms ?? (t => t))(new AccountTerms { Name = id, Priority = priority }) });
}
