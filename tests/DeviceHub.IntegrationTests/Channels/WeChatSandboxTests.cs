using DeviceHub.Channels;
using DeviceHub.Channels.WeChatPay;
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
/// WeChat Pay's channels over sockets against the ChannelSandbox, which was written from the documents by itself and keeps a book: what an answer
/// is taken to prove must hold in that book.
/// </summary>
public sealed class WeChatSandboxTests : IAsyncLifetime
{
    private static readonly AccountsFile Accounts = AccountMaker.Make(2048);
    private static int numbers;

    private readonly SandboxServer server = new(
        new SandboxOptions
        {
            Url = new Uri("http://127.0.0.1:0"), ReverseAfter = TimeSpan.Zero, HangFor = TimeSpan.FromMilliseconds(100), SlowAfter = TimeSpan.FromMilliseconds(100),
            PasswordAfter = TimeSpan.Zero, LateAfter = TimeSpan.FromMilliseconds(50), RefundAfter = TimeSpan.Zero, BillToday = true,
        },
        Accounts, TimeProvider.System);

    private ServiceProvider? services;

    public static TheoryData<string> Names => [.. Accounts.Hub.Where(a => a.Channel.StartsWith("wechat", StringComparison.Ordinal)).Select(a => a.Name)];

    public async ValueTask InitializeAsync()
    {
        await server.Start();
        services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("WeChatPay:Url", server.Urls.Single())]).Build())
            .AddLogging().AddSingleton(new NoticeAddress(null)).AddWeChatPay().BuildServiceProvider();
    }

    public async ValueTask DisposeAsync()
    {
        await services!.DisposeAsync();
        await server.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Payment_is_made_asked_about_refunded_reversed_and_billed(string name)
    {
        var (channel, account) = Find(name);
        var check = await channel.Test(account, default);
        Assert.True(check.Works, check.Says);

        var order = Order(account, 1000);
        var paid = await Pay(channel, order);
        Assert.Equal((Verdict.Approved, 1000, 0), (paid.Verdict, paid.PaidFen, paid.DiscountFen));
        Assert.Equal(paid with { Text = null }, await channel.Query(order, default));

        var refund = new ChannelRefund(order, "r" + order.OrderNumber[1..], 400);
        Assert.True((await channel.Refund(refund, default)).Verdict is Verdict.Pending or Verdict.Refunded);
        Assert.Equal(Verdict.Refunded, (await channel.QueryRefund(refund, default)).Verdict);
        Assert.Equal(Verdict.NotFound, (await channel.QueryRefund(refund with { RefundNumber = "rnone" }, default)).Verdict);
        Assert.Equal(600, Booked(order)!.NetFen);

        var undone = Order(account, 2000);
        await Pay(channel, undone);
        Assert.Equal(Verdict.Reversed, (await channel.Reverse(undone, default)).Verdict);
        Assert.Equal(Verdict.Reversed, (await channel.Query(undone, default)).Verdict);
        Assert.Equal(0, Booked(undone)!.NetFen);
        Assert.Equal(Verdict.NotFound, (await channel.Query(Order(account, 1), default)).Verdict);

        var bill = new List<BillRow>();
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().ToOffset(TimeSpan.FromHours(8)).DateTime);
        await foreach (var row in services!.GetServices<IChannelBills>().Single(b => b.Name == account.Channel).Read(account, today, default))
        {
            bill.Add(row);
        }

        Assert.Equal(
            [
                (BillRowKind.Payment, order.OrderNumber, null, 1000L), (BillRowKind.Payment, undone.OrderNumber, null, 2000L), (BillRowKind.Refund, order.OrderNumber, refund.RefundNumber, 400L),
                (BillRowKind.Refund, undone.OrderNumber, null, 2000L),
            ],
            bill.Select(r => (r.Kind, r.OrderNumber, r.RefundNumber, r.AmountFen)).OrderBy(r => r.Kind).ThenBy(r => r.AmountFen));
        Assert.All(bill, r => Assert.Equal(((r.AmountFen * 6) + 500) / 1000, r.FeeFen));
    }

    /// <summary>Every fault of the sandbox's table and every code of its documents, by amount.</summary>
    [Theory]
    [InlineData("wechat-v2-direct")]
    [InlineData("wechat-v3-direct")]
    public async Task What_a_payments_answer_is_taken_to_prove_holds_in_the_books(string name)
    {
        var (channel, account) = Find(name);
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
    [InlineData("wechat-v2-direct", 20, Verdict.Unknown, "no-answer")]
    [InlineData("wechat-v2-direct", 26, Verdict.Unknown, "no-answer")]
    [InlineData("wechat-v2-direct", 28, Verdict.Unknown, "http502")]
    [InlineData("wechat-v2-direct", 30, Verdict.Rerouteable, "NOAUTH")]
    [InlineData("wechat-v2-direct", 31, Verdict.Unknown, "garbage")]
    [InlineData("wechat-v2-direct", 33, Verdict.Unknown, "no-answer")]
    [InlineData("wechat-v2-direct", 34, Verdict.Unknown, "bad-signature")]
    [InlineData("wechat-v2-direct", 35, Verdict.Unknown, "bad-signature")]
    [InlineData("wechat-v2-direct", 36, Verdict.Unknown, "garbage")]
    [InlineData("wechat-v2-direct", 37, Verdict.Unknown, "too-large")]
    [InlineData("wechat-v2-direct", 50, Verdict.Unknown, "SANDBOX_UNHEARD_OF")]
    [InlineData("wechat-v3-direct", 10, Verdict.Pending, "USERPAYING")]
    [InlineData("wechat-v3-direct", 26, Verdict.Unknown, "no-answer")]
    [InlineData("wechat-v3-direct", 30, Verdict.Rerouteable, "NO_AUTH")]
    [InlineData("wechat-v3-direct", 34, Verdict.Unknown, "bad-signature")]
    [InlineData("wechat-v3-direct", 35, Verdict.Unknown, "bad-signature")]
    [InlineData("wechat-v3-direct", 37, Verdict.Unknown, "too-large")]
    [InlineData("wechat-v3-direct", 51, Verdict.Unknown, "http500")]
    public async Task Fault_is_taken_for_what_it_is(string name, int ending, Verdict verdict, string code)
    {
        var (channel, account) = Find(name);
        var answer = await Pay(channel, Order(account, 1000 + ending));
        Assert.Equal((verdict, code), (answer.Verdict, answer.Code));
    }

    private (IPaymentChannel Channel, ChannelAccount Account) Find(string name)
    {
        var made = Accounts.Hub.Single(a => a.Name == name);
        return (services!.GetServices<IPaymentChannel>().Single(c => c.Name == made.Channel), new ChannelAccount
        {
            Id = name, MerchantId = "m1", Channel = made.Channel, Settings = made.Settings, Secrets = made.Secrets.ToDictionary(s => s.Key, s => new SecretText(s.Value)),
        });
    }

    private static ChannelReference Order(ChannelAccount account, long fen) => new($"d{Interlocked.Increment(ref numbers):x29}", account, fen);

    private static Task<ChannelVerdict> Pay(IPaymentChannel channel, ChannelReference order) => channel.Pay(
        new ChannelPayment(order, new PaymentCode($"13{order.OrderNumber.GetHashCode(StringComparison.Ordinal) & 0x7fffffff:d16}"), Wallet.WeChat, "Noodles & tea, 面馆", "T0000001", TimeProvider.System.GetUtcNow().AddMinutes(2)), default);

    private Order? Booked(ChannelReference order)
    {
        var account = order.Account;
        var scope = account.Setting("subMchId") is { } sub ? $"{account.Setting("mchId")}/{sub}" : account.Setting("mchId")!;
        return server.Bank.Find(new OrderKey(Channel.WeChat, scope, order.OrderNumber));
    }
}
