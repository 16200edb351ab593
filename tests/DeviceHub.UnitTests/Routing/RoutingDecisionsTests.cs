using CsCheck;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;

namespace DeviceHub.UnitTests.Routing;

public sealed class RoutingDecisionsTests
{
    /// <summary>A Thursday, 16:00 in China.</summary>
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);

    private static readonly CircuitView Open = new(Circuit.Open, 8, 5, 0, TimeSpan.FromSeconds(11.4), false);

    private static readonly Gen<AccountStanding> AnyStanding =
        from id in Gen.Int[1, 1000]
        from terms in Gen.Select(Gen.Bool, Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[0, 2], Gen.Long[1, 50], Gen.Long[1, 500].Nullable(), Gen.Long[1, 800].Nullable())
        from wallets in Gen.Int[0, 2].Select(i => i switch { 0 => AccountTerms.AllWallets, 1 => [Wallet.WeChat], _ => [Wallet.Alipay] })
        from circuit in Gen.Select(Gen.Enum<Circuit>(), Gen.Int[0, 20], Gen.Int[0, 20], Gen.Bool)
        from today in Gen.Long[0, 900]
        select new AccountStanding(
            Account($"A{id}", t => t with
            {
                Enabled = terms.Item1, Priority = terms.Item2, Weight = terms.Item3, FeeBasisPoints = terms.Item4, MinAmountFen = terms.Item5, MaxAmountFen = terms.Item6,
                DayLimitFen = terms.Item7, Wallets = wallets,
            }),
            new(circuit.Item1, Math.Max(circuit.Item2, circuit.Item3), circuit.Item3, 0, TimeSpan.FromSeconds(circuit.Item1 == Circuit.Open ? 3 : 0), circuit.Item4),
            today);

    [Fact]
    public void Whatever_the_accounts_are_a_payment_that_one_may_take_is_taken_and_by_one_that_may() =>
        Gen.Select(AnyStanding.Array[0, 8], Gen.Long[1, 600], Gen.ULong).Sample((drawn, amount, number) =>
        {
            var standings = drawn.DistinctBy(s => s.Account.Id).ToList();
            var request = Request(amount);
            var decision = RoutingDecisions.Decide(request, standings, number);
            var able = standings.Where(s => May(s, request)).ToList();
            Assert.Equal(able.Count > 0, decision.Account is not null);
            Assert.InRange(decision.Why.Length, 1, RoutingDecisions.MaxWhy);
            Assert.Equal(standings.Count, decision.PassedOver.Count + (decision.Account is null ? 0 : 1));
            if (decision.Account is { } chosen)
            {
                var of = able.Single(s => s.Account.Id == chosen.Id);
                Assert.True(of.Circuit.Takes || !able.Any(s => s.Circuit.Takes), decision.Why);
                Assert.DoesNotContain(able, s => s.Circuit.Takes && s.Account.Terms.Priority < chosen.Terms.Priority && of.Circuit.Takes);
                Assert.Equal(chosen.Id, RoutingDecisions.Decide(request, standings, number).Account!.Id);
            }
        });

    [Fact]
    public void Lower_priority_number_goes_first_and_why_says_who_was_passed_over()
    {
        var decision = Decide(
            Standing("Main", t => t with { Priority = 1 }),
            Standing("Second", t => t with { Priority = 2 }),
            Standing("Off", t => t with { Enabled = false }),
            Standing("Full", t => t with { DayLimitFen = 5000 }) with { TodayFen = 4500 },
            Standing("Sick", t => t) with { Circuit = Open });
        Assert.Equal("Main", decision.Account!.Terms.Name);
        Assert.Equal(
            "\"Main\": priority 1, healthy; passed over: \"Off\" (disabled), \"Full\" (only 5.00 yuan are left of the day limit), \"Second\" (priority 2), "
            + "\"Sick\" (circuit open for 12 s more after 5 of 8 calls failed)",
            decision.Why);
    }

    [Fact]
    public void Payments_are_shared_by_weight_and_the_same_number_draws_the_same()
    {
        var accounts = new[] { Standing("A", t => t with { Weight = 30 }), Standing("B", t => t with { Weight = 70 }) };
        var drawn = Enumerable.Range(0, 10_000)
            .Select(i => Request(1000) with { At = Now.AddMilliseconds(i * 37) })
            .Select(r => RoutingDecisions.Decide(r, accounts, RoutingDecisions.Number(r)).Account!.Id)
            .CountBy(id => id).ToDictionary();
        Assert.InRange(drawn["A"], 2700, 3300);
        Assert.Equal(RoutingDecisions.Number(Request(1000)), RoutingDecisions.Number(Request(1000)));
        Assert.NotEqual(RoutingDecisions.Number(Request(1000)), RoutingDecisions.Number(Request(1001)));
    }

    [Fact]
    public void Of_one_priority_and_weight_the_cheaper_takes_all()
    {
        for (var number = 0UL; number < 20; number++)
        {
            var decision = RoutingDecisions.Decide(
                Request(1000), [Standing("Dear", t => t with { FeeBasisPoints = 60 }), Standing("Cheap", t => t with { FeeBasisPoints = 38 })], number);
            Assert.Equal("Cheap", decision.Account!.Id);
            Assert.Contains("the same weight for a higher fee (0.6 %)", decision.Why, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void When_every_circuit_is_open_the_least_bad_account_tries_it_and_why_says_so()
    {
        var decision = Decide(
            Standing("Worse", t => t) with { Circuit = Open },
            Standing("Better", t => t with { Priority = 900 }) with { Circuit = Open with { Failed = 4, Calls = 8 } });
        Assert.Equal("Better", decision.Account!.Id);
        Assert.Contains("every circuit is open, and this is the least bad", decision.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_open_account_takes_one_payment_at_a_time()
    {
        var halfOpen = new CircuitView(Circuit.HalfOpen, 8, 5, 0, TimeSpan.Zero, false);
        var other = Standing("Other", t => t with { Priority = 200 });
        Assert.Equal("Sick", Decide(Standing("Sick", t => t) with { Circuit = halfOpen }, other).Account!.Id);
        Assert.Equal("Other", Decide(Standing("Sick", t => t) with { Circuit = halfOpen with { Probing = true } }, other).Account!.Id);
    }

    [Fact]
    public void Account_of_an_earlier_attempt_is_not_tried_again()
    {
        var decision = RoutingDecisions.Decide(Request(1000) with { Tried = ["A"] }, [Standing("A", t => t)], 0);
        Assert.Null(decision.Account);
        Assert.Equal("no account can take it; passed over: \"A\" (tried already)", decision.Why);
    }

    [Theory]
    [InlineData("2026-11-26T00:29:59Z", false)]
    [InlineData("2026-11-26T00:30:00Z", true)]
    [InlineData("2026-11-26T13:59:59Z", true)]
    [InlineData("2026-11-26T14:00:00Z", false)]
    [InlineData("2026-11-27T16:30:00Z", true)]
    [InlineData("2026-11-27T18:00:00Z", false)]
    [InlineData("2026-11-28T05:00:00Z", false)]
    public void Schedule_is_kept_in_its_own_time_zone_and_over_midnight(string at, bool open)
    {
        // Thursday 8:30 to 22:00, and Friday 20:00 to Saturday 2:00.
        var schedule = new AccountSchedule(
            AccountSchedule.ChinaName,
            [new([DayOfWeek.Thursday], new(8, 30), new(22, 0)), new([DayOfWeek.Friday], new(20, 0), new(2, 0))]);
        var decision = RoutingDecisions.Decide(
            Request(1000) with { At = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture) }, [Standing("A", t => t with { Schedule = schedule })], 0);
        Assert.Equal(open, decision.Account is not null);
    }

    [Fact]
    public void Explanation_of_many_accounts_is_cut() =>
        Assert.Equal(RoutingDecisions.MaxWhy, Decide([.. Enumerable.Range(0, 100).Select(i => Standing($"Account {i}", t => t with { Enabled = false }))]).Why.Length);

    private static bool May(AccountStanding s, RouteRequest request) =>
        s.Account.Terms is var t && t.Enabled && t.Wallets.Contains(request.Wallet) && request.AmountFen >= t.MinAmountFen && !(request.AmountFen > t.MaxAmountFen)
        && !(s.TodayFen + request.AmountFen > t.DayLimitFen);

    private static RouteDecision Decide(params AccountStanding[] accounts) => RoutingDecisions.Decide(Request(1000), accounts, 0);

    private static RouteRequest Request(long amountFen) => new("M1", "S1", Wallet.WeChat, amountFen, Now, []);

    private static AccountStanding Standing(string name, Func<AccountTerms, AccountTerms> terms) => new(Account(name, terms), default, 0);

    private static ChannelAccount Account(string name, Func<AccountTerms, AccountTerms> terms) =>
        new() { Id = name, MerchantId = "M1", Channel = "sandbox", Terms = terms(new AccountTerms { Name = name }), Version = 1 };
}
