using DeviceHub.Channels;
using DeviceHub.Channels.Alipay;
using DeviceHub.Channels.Shouqianba;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Tools.ChannelSandbox;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.Channels;

/// <summary>
/// Alipay's and Shouqianba's channels over sockets against the ChannelSandbox, which was written from the documents by itself and keeps a book: what an
/// answer is taken to prove must hold in that book.
/// </summary>
public sealed class JsonSandboxTests : IAsyncLifetime, IChannelAccounts, IAccountKeeper
{
    private static readonly AccountsFile Accounts = AccountMaker.Make(2048);
    private static int numbers;

    private readonly Dictionary<string, ChannelAccount> kept = [];
    private readonly SandboxServer server = new(
        new SandboxOptions
        {
            Url = new Uri("http://127.0.0.1:0"), ReverseAfter = TimeSpan.Zero, HangFor = TimeSpan.FromMilliseconds(100), SlowAfter = TimeSpan.FromMilliseconds(100),
            PasswordAfter = TimeSpan.Zero, LateAfter = TimeSpan.FromMilliseconds(50), RefundAfter = TimeSpan.Zero, BillToday = true,
        },
        Accounts, TimeProvider.System);

    private ServiceProvider? services;

    public static TheoryData<string> Names => [.. Accounts.Hub.Where(a => a.Channel is "alipay" or "shouqianba").Select(a => a.Name)];

    public async ValueTask InitializeAsync()
    {
        await server.Start();
        var url = server.Urls.Single().TrimEnd('/');
        services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("Alipay:Url", url + "/gateway.do"), new("Shouqianba:Url", url)]).Build())
            .AddLogging().AddSingleton(new NoticeAddress(null)).AddSingleton<IChannelAccounts>(this).AddSingleton<IAccountKeeper>(this)
            .AddAlipay().AddShouqianba().BuildServiceProvider();
    }

    public async ValueTask DisposeAsync()
    {
        await services!.DisposeAsync();
        await server.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Payment_is_made_asked_about_refunded_and_reversed(string name)
    {
        var (channel, account) = await Find(name);
        var check = await channel.Test(account, default);
        Assert.True(check.Works, check.Says);

        var order = Order(account, 1000);
        var paid = await Pay(channel, order);
        Assert.Equal((Verdict.Approved, 1000, 0), (paid.Verdict, paid.PaidFen, paid.DiscountFen));
        var queried = await channel.Query(order, default);
        Assert.Equal(paid with { Code = queried.Code, Text = queried.Text }, queried);

        var refund = new ChannelRefund(order, order.OrderNumber + "r1", 400);
        Assert.True((await channel.Refund(refund, default)).Verdict is Verdict.Pending or Verdict.Refunded);
        Assert.Equal(600, Booked(order)!.NetFen);
        Assert.True(await Settle(channel, refund) is Verdict.Refunded);
        Assert.Equal(600, Booked(order)!.NetFen);
        Assert.Equal(Verdict.NotFound, (await channel.QueryRefund(refund with { RefundNumber = order.OrderNumber + "r2" }, default)).Verdict);
        Assert.Equal(Verdict.RefundFailed, (await channel.Refund(refund with { RefundNumber = order.OrderNumber + "r3", RefundFen = 601 }, default)).Verdict);

        var undone = Order(account, 2000);
        await Pay(channel, undone);
        Assert.Equal(Verdict.Reversed, (await channel.Reverse(undone, default)).Verdict);
        Assert.True((await channel.Query(undone, default)).Verdict is Verdict.Reversed or Verdict.Closed);
        Assert.Equal(0, Booked(undone)!.NetFen);
        Assert.Equal(Verdict.NotFound, (await channel.Query(Order(account, 1), default)).Verdict);
        Assert.Equal(Verdict.NotFound, (await channel.Reverse(Order(account, 1), default)).Verdict);
    }

    [Fact]
    public async Task Alipays_bill_has_what_was_done()
    {
        var (channel, account) = await Find("alipay-direct");
        var order = Order(account, 1000);
        await Pay(channel, order);
        await channel.Refund(new ChannelRefund(order, order.OrderNumber + "r1", 400), default);
        var undone = Order(account, 2000);
        await Pay(channel, undone);
        await channel.Reverse(undone, default);

        var bill = new List<BillRow>();
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().ToOffset(TimeSpan.FromHours(8)).DateTime);
        await foreach (var row in services!.GetServices<IChannelBills>().Single(b => b.Name == "alipay").Read(account, today, default))
        {
            bill.Add(row);
        }

        Assert.Equal(
            [
                (BillRowKind.Payment, order.OrderNumber, null, 1000L), (BillRowKind.Payment, undone.OrderNumber, null, 2000L),
                (BillRowKind.Refund, order.OrderNumber, order.OrderNumber + "r1", 400L), (BillRowKind.Refund, undone.OrderNumber, null, 2000L),
            ],
            bill.Select(r => (r.Kind, r.OrderNumber, r.RefundNumber, r.AmountFen)).OrderBy(r => r.Kind).ThenBy(r => r.AmountFen));
        Assert.All(bill, r => Assert.Equal(((r.AmountFen * 6) + 500) / 1000, r.FeeFen));
        var none = await Assert.ThrowsAsync<BillException>(async () =>
        {
            await foreach (var _ in services!.GetServices<IChannelBills>().Single(b => b.Name == "alipay").Read(account, today.AddDays(-1), default))
            {
            }
        });
        Assert.True(none.None);
    }

    /// <summary>Every fault of the sandbox's table and every code of its documents, by amount.</summary>
    [Theory]
    [InlineData("alipay-direct")]
    [InlineData("shouqianba")]
    public async Task What_a_payments_answer_is_taken_to_prove_holds_in_the_books(string name)
    {
        var (channel, account) = await Find(name);
        var codes = Enumerable.Range((int)FaultTable.FirstCodeFen + 1, 60).Select(fen => (long)fen);
        foreach (var fen in FaultTable.Table.Select(f => 1000L + f.Ending).Concat(codes))
        {
            var order = Order(account, fen);
            var verdict = await Pay(channel, order);
            var queried = await channel.Query(order, default);
            var booked = Booked(order);
            var says = $"{name} {fen}: {verdict.Verdict} {verdict.Code}, then {queried.Verdict} {queried.Code}; booked {booked?.State}, net {booked?.NetFen}";
            switch (verdict.Verdict)
            {
                case Verdict.Approved:
                    Assert.True(booked is { WasCharged: true } && verdict.PaidFen == fen, says);
                    break;
                case Verdict.Declined or Verdict.Rerouteable:
                    Assert.True(booked is null or { WasCharged: false, Next: not OrderState.Paid }, says);
                    break;
                case Verdict.Unknown or Verdict.Pending:
                    break;
                default:
                    Assert.Fail(says);
                    break;
            }

            Assert.True(queried.Verdict != Verdict.Approved || booked is { WasCharged: true }, says);
            Assert.True(queried.Verdict is not (Verdict.Declined or Verdict.Closed or Verdict.Reversed) || booked is null || booked.NetFen == 0, says);
        }
    }

    [Theory]
    [InlineData("alipay-direct", 1, Verdict.Declined, "ACQ.BUYER_BALANCE_NOT_ENOUGH")]
    [InlineData("alipay-direct", 10, Verdict.Pending, "10003")]
    [InlineData("alipay-direct", 20, Verdict.Unknown, "no-answer")]
    [InlineData("alipay-direct", 30, Verdict.Rerouteable, "ACQ.ACCESS_FORBIDDEN")]
    [InlineData("alipay-direct", 31, Verdict.Unknown, "garbage")]
    [InlineData("alipay-direct", 34, Verdict.Unknown, "bad-signature")]
    [InlineData("alipay-direct", 35, Verdict.Unknown, "bad-signature")]
    [InlineData("alipay-direct", 36, Verdict.Unknown, "garbage")]
    [InlineData("alipay-direct", 37, Verdict.Unknown, "too-large")]
    [InlineData("alipay-direct", 39, Verdict.Rerouteable, "40005")]
    [InlineData("alipay-direct", 50, Verdict.Unknown, "SANDBOX_UNHEARD_OF")]
    [InlineData("alipay-direct", 51, Verdict.Unknown, "ACQ.SYSTEM_ERROR")]
    [InlineData("shouqianba", 1, Verdict.Declined, "PAY_FAIL.PAY_CANCELED.INSUFFICIENT_FUND")]
    [InlineData("shouqianba", 10, Verdict.Pending, "PAY_IN_PROGRESS.CREATED")]
    [InlineData("shouqianba", 30, Verdict.Rerouteable, "PAY_FAIL.UPAY_TERMINAL_STATUS_ABNORMAL")]
    [InlineData("shouqianba", 36, Verdict.Unknown, "garbage")]
    [InlineData("shouqianba", 39, Verdict.Unknown, "500.MAINTENANCE_INPROGRESS")]
    [InlineData("shouqianba", 51, Verdict.Unknown, "PAY_FAIL_ERROR.UNEXPECTED_PROVIDER_ERROR")]
    public async Task Fault_is_taken_for_what_it_is(string name, int ending, Verdict verdict, string code)
    {
        var (channel, account) = await Find(name);
        var answer = await Pay(channel, Order(account, 1000 + ending));
        Assert.Equal((verdict, code), (answer.Verdict, answer.Code));
    }

    ChannelAccount? IChannelAccounts.Find(string id) => kept.GetValueOrDefault(id);

    public Task<bool> Keep(ChannelAccount account, IReadOnlyDictionary<string, SecretText> fields, CancellationToken cancellationToken)
    {
        var (settings, secrets) = (account.Settings.ToDictionary(), account.Secrets.ToDictionary());
        foreach (var (name, value) in fields)
        {
            if (name == "terminalKey")
            {
                secrets[name] = value;
            }
            else
            {
                settings[name] = value.Reveal();
            }
        }

        kept[account.Id] = new ChannelAccount { Id = account.Id, MerchantId = account.MerchantId, Channel = account.Channel, Settings = settings, Secrets = secrets };
        return Task.FromResult(true);
    }

    /// <summary>As the core does: a refund that is not found is asked for again.</summary>
    private static async Task<Verdict> Settle(IPaymentChannel channel, ChannelRefund refund)
    {
        for (var asked = 0; asked < 5; asked++)
        {
            var verdict = (await channel.QueryRefund(refund, default)).Verdict;
            if (verdict == Verdict.NotFound)
            {
                verdict = (await channel.Refund(refund, default)).Verdict;
            }

            if (verdict is Verdict.Refunded or Verdict.RefundFailed)
            {
                return verdict;
            }
        }

        return Verdict.Unknown;
    }

    private async Task<(IPaymentChannel Channel, ChannelAccount Account)> Find(string name)
    {
        var made = Accounts.Hub.Single(a => a.Name == name);
        kept[name] = new ChannelAccount
        {
            Id = name, MerchantId = "m1", Channel = made.Channel, Settings = made.Settings, Secrets = made.Secrets.ToDictionary(s => s.Key, s => new SecretText(s.Value)),
        };
        if (services!.GetServices<IAccountActivation>().SingleOrDefault(a => a.Name == made.Channel) is { } activation)
        {
            var check = await activation.Activate(kept[name], default);
            Assert.True(check.Works, check.Says);
        }

        return (services!.GetServices<IPaymentChannel>().Single(c => c.Name == made.Channel), kept[name]);
    }

    private static ChannelReference Order(ChannelAccount account, long fen) => new($"d{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds():x11}{Interlocked.Increment(ref numbers):x18}", account, fen);

    private static Task<ChannelVerdict> Pay(IPaymentChannel channel, ChannelReference order) => channel.Pay(
        new ChannelPayment(order, new PaymentCode($"28{order.OrderNumber.GetHashCode(StringComparison.Ordinal) & 0x7fffffff:d16}"), Wallet.Alipay, "Noodles & tea, 面馆", "T0000001", TimeProvider.System.GetUtcNow().AddMinutes(2)), default);

    private Order? Booked(ChannelReference order)
    {
        if (order.Account.Channel == "shouqianba")
        {
            return server.Bank.Find(new OrderKey(Channel.Shouqianba, order.Account.Setting("vendorSn")!, order.OrderNumber));
        }

        var application = Accounts.Alipay.Applications.Single(a => a.AppId == order.Account.Setting("appId"));
        var seller = order.Account.Secret("appAuthToken") is { } token ? application.Authorizations[token.Reveal()] : application.SellerId;
        return server.Bank.Find(new OrderKey(Channel.Alipay, seller, order.OrderNumber));
    }
}
