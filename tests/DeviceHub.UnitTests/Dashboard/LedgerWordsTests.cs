using System.Globalization;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using DeviceHub.Dashboard.Payments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Localization;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>The sentences that the routing and the decisions write into the ledger are known to the pages, whatever they are about.</summary>
public sealed class LedgerWordsTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Choice_of_an_account_is_told_in_Chinese_and_names_stay()
    {
        var request = new RouteRequest("M1", "S1", Wallet.WeChat, 1000, At, ["tried"]);
        ChannelAccount Account(string id, AccountTerms terms) => new() { Id = id, MerchantId = "M1", Channel = "sandbox", Terms = terms with { Name = "the healthy " + id, Wallets = AccountTerms.AllWallets } };
        var decision = RoutingDecisions.Decide(
            request,
            [
                new(Account("a", new AccountTerms { Priority = 1 }), default, 0),
                new(Account("tried", new AccountTerms { Priority = 1 }), default, 0),
                new(Account("off", new AccountTerms { Priority = 1, Enabled = false }), default, 0),
                new(Account("small", new AccountTerms { Priority = 1, MaxAmountFen = 5 }), default, 0),
                new(Account("full", new AccountTerms { Priority = 1, DayLimitFen = 100_000 }), default, 100_000),
                new(Account("later", new AccountTerms { Priority = 2 }), default, 0),
            ],
            1);
        Assert.Equal(decision.Why, In("en", decision.Why));
        Assert.Equal(
            "\"the healthy a\": 优先级 1, 正常; 未选用：\"the healthy tried\" (已尝试过), \"the healthy off\" (已停用), \"the healthy small\" (高于单笔上限 0.05 元), \"the healthy full\" (已达日限额 1000.00 元), \"the healthy later\" (优先级 2)",
            In("zh-Hans", decision.Why));
    }

    [Theory]
    [InlineData("not settled 01:00:00 after it was accepted", "受理后 01:00:00 仍未完结")]
    [InlineData("3 accounts were tried", "已尝试 3 个账户")]
    [InlineData("a sentence of another time", "a sentence of another time")]
    public void What_is_not_known_stays(string ledger, string chinese) => Assert.Equal((ledger, chinese), (In("en", ledger), In("zh-Hans", ledger)));

    private static string In(string culture, string sentence)
    {
        var before = CultureInfo.CurrentUICulture;
        try
        {
            CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(culture);
            using var services = new ServiceCollection().AddLogging().AddLocalization().BuildServiceProvider();
            return new LedgerWords(services.GetRequiredService<IStringLocalizer<LedgerWords>>()).Of(sentence);
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }
}
