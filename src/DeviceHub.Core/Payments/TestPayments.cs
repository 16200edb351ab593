using System.Security.Cryptography;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.People;
using DeviceHub.Core.Routing;
using DeviceHub.Core.Terminals;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Payments;

/// <summary>The channel that moves no money, as tests need it.</summary>
public interface ITestChannel
{
    /// <summary><see cref="IPaymentChannel.Name"/> of it.</summary>
    string Name { get; }

    /// <summary>The smallest amount that it lets end so.</summary>
    long AmountFen(TestEnding ending);
}

/// <summary>How a test is to end.</summary>
public enum TestEnding
{
    Approved = 1,
    Declined = 2,

    /// <summary>Its answer is lost, and the first queries find nothing: in doubt, until one finds it paid.</summary>
    InDoubt = 3,
}

/// <summary>Why no test can be made; in the order in which it is looked at.</summary>
public enum TestBar
{
    None = 0,

    /// <summary>Never activated, or retired.</summary>
    NotActive = 1,
    Suspended = 2,
    NotBound = 3,

    /// <summary>The merchant has an account that moves money: its payments are real, and so would be the test's sums and limits.</summary>
    RealAccount = 4,

    /// <summary>Neither an account of the merchant nor the default channel is the test channel.</summary>
    NoTestChannel = 5,
}

/// <param name="Found">False: there is no such terminal.</param>
/// <param name="Refusal">Why there is no payment; null: there is.</param>
public sealed record TestAnswer(bool Found, Refusal? Refusal = null, PaymentView? View = null)
{
    public static readonly TestAnswer NotFound = new(false);
}

/// <summary>
/// Payments that the hub makes for a terminal, to see that everything behind it works: grain, ledger, routing, channel. They go to the test channel
/// and nowhere else; their ids say that they are tests (<see cref="PaymentId.IsTest"/>). The terminal takes no part, since its firmware knows
/// nothing of a request that it did not send.
/// </summary>
public sealed class TestPayments(
    IGrainFactory grains,
    ITestChannel channel,
    ChannelAccountBook accounts,
    RoutingCore routing,
    IOptions<RoutingOptions> routes,
    IAuditLog audit,
    TimeProvider clock)
{
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(30);

    /// <summary>What stands in the way of a test for this terminal.</summary>
    public TestBar Bar(TerminalRecord terminal) => terminal switch
    {
        { Status: TerminalStatus.Suspended } => TestBar.Suspended,
        { Status: not TerminalStatus.Active } => TestBar.NotActive,
        { MerchantId: null } or { StoreId: null } => TestBar.NotBound,
        _ when accounts.Of(terminal.MerchantId).Any(a => a.Terms.Enabled && a.Channel != channel.Name) => TestBar.RealAccount,
        _ when routing.Explain(Request(terminal, channel.AmountFen(TestEnding.Approved))).Account is null => TestBar.NoTestChannel,
        _ => TestBar.None,
    };

    /// <summary>Begins a test; how it ends is seen at its payment.</summary>
    public async Task<TestAnswer> Pay(string serialNumber, TestEnding ending, Actor by)
    {
        if (!TerminalRecord.IsSerialNumber(serialNumber) || await grains.GetGrain<ITerminalGrain>(serialNumber).Snapshot() is not { Record: var terminal })
        {
            return TestAnswer.NotFound;
        }

        if (Bar(terminal) is var bar and not TestBar.None)
        {
            return new TestAnswer(true, Refuse(bar, serialNumber));
        }

        var id = new PaymentId(serialNumber, PaymentId.TestPrefix + RandomNumberGenerator.GetHexString(20, lowercase: true));
        var (amount, wallet) = (channel.AmountFen(ending), routes.Value.Wallets[0]);
        var answer = await grains.GetGrain<IPaymentGrain>(id.ToString()).Accept(new PaymentOrder(
            id,
            new PaymentRequest(id.RequestId, amount, "CNY", Code(wallet), id.RequestId, TimeSpan.Zero, TimeToLive),
            wallet.Wallet,
            terminal.MerchantId!,
            terminal.MerchantName ?? "",
            terminal.StoreId!,
            clock.GetUtcNow() + TimeToLive,
            channel.Name));
        if (answer.View is not null)
        {
            await audit.Write(by, "terminal.test-payment", "terminal:" + serialNumber, null, new { id.RequestId, Ending = ending, AmountFen = amount });
        }

        return new TestAnswer(true, answer.Refusal, answer.View);
    }

    private RouteRequest Request(TerminalRecord terminal, long amountFen) => new(
        terminal.MerchantId!, terminal.StoreId!, routes.Value.Wallets[0].Wallet, amountFen, clock.GetUtcNow(), [], channel.Name);

    /// <summary>As a wallet would show it, a new one each time: a bank may take a code once.</summary>
    private static PaymentCode Code(WalletRow wallet) => new(wallet.From + RandomNumberGenerator.GetString("0123456789", wallet.MinLength - wallet.From.Length));

    private Refusal Refuse(TestBar bar, string serialNumber) => bar switch
    {
        TestBar.Suspended => new(RefusalCode.Suspended, $"{serialNumber} is suspended; resume it first"),
        TestBar.NotActive => new(RefusalCode.NotActive, $"{serialNumber} is not active"),
        TestBar.NotBound => new(RefusalCode.NotBound, $"{serialNumber} is bound to no store"),
        TestBar.RealAccount => new(RefusalCode.NoChannel, $"the merchant has an account that moves money; tests go to the channel {channel.Name} only"),
        _ => new(RefusalCode.NoChannel, $"nothing of the merchant's goes to the channel {channel.Name}: neither an account nor Routing:DefaultChannel"),
    };
}
