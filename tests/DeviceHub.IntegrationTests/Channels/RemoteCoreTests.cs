using System.Net;
using DeviceHub.Channels.Remote;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Tools.RoutingCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.IntegrationTests.Channels;

/// <summary>The channel <c>remote</c> over sockets against the reference core, which shares no code with it and keeps a book.</summary>
public sealed class RemoteCoreTests : IAsyncLifetime
{
    private const string Secret = "0123456789abcdef0123456789abcdef";
    private static int numbers;

    private readonly CoreServer core = new(
        new CoreOptions { Url = "http://127.0.0.1:0", Account = "shop-1", Secret = Secret, HangFor = TimeSpan.FromMinutes(1), PasswordAfter = TimeSpan.Zero }, TimeProvider.System);

    private ServiceProvider? services;

    public async ValueTask InitializeAsync()
    {
        await core.Start();
        services = Services(TimeProvider.System, new Uri(core.Url).Authority);
    }

    public async ValueTask DisposeAsync()
    {
        await services!.DisposeAsync();
        await core.DisposeAsync();
    }

    [Fact]
    public async Task Payment_is_made_once_asked_about_refunded_and_reversed()
    {
        Assert.Equal("asked the routing core about the account: it accepts our signature and signed its answer", (await Channel.Test(Account(), default)).Says);
        var order = Order(1000);
        Assert.Equal(Verdict.NotFound, (await Channel.Query(order, default)).Verdict);
        var paid = await Pay(order);
        Assert.Equal((Verdict.Approved, 1000, "core-" + order.OrderNumber), (paid.Verdict, paid.PaidFen, paid.Transaction));
        Assert.Equal(paid, await Pay(order));
        Assert.Equal("conflict", (await Pay(order with { AmountFen = 2000 })).Code);
        Assert.Equal(1000, Booked(order)!.NetFen);

        var refund = new ChannelRefund(order, order.OrderNumber + "r1", 492);
        Assert.Equal(Verdict.Pending, (await Channel.Refund(refund, default)).Verdict);
        Assert.Equal(Verdict.Refunded, (await Channel.QueryRefund(refund, default)).Verdict);
        Assert.Equal(Verdict.RefundFailed, (await Channel.Refund(refund with { RefundNumber = order.OrderNumber + "r2", RefundFen = 600 }, default)).Verdict);
        Assert.Equal(Verdict.NotFound, (await Channel.QueryRefund(refund with { RefundNumber = "none" }, default)).Verdict);
        Assert.Equal(508, Booked(order)!.NetFen);

        var undone = Order(2000);
        await Pay(undone);
        Assert.Equal(Verdict.Reversed, (await Channel.Reverse(undone, default)).Verdict);
        Assert.Equal(Verdict.Reversed, (await Channel.Query(undone, default)).Verdict);
        Assert.Equal(0, Booked(undone)!.NetFen);
    }

    [Theory]
    [InlineData(1091, Verdict.Declined, "declined", 0)]
    [InlineData(1092, Verdict.Pending, "awaitingPayer", 1092)]
    [InlineData(1094, Verdict.Unknown, "bad-signature", 1094)]
    [InlineData(1095, Verdict.Unknown, "too-large", 1095)]
    [InlineData(1096, Verdict.Unknown, "garbage", 1096)]
    [InlineData(1097, Verdict.Unknown, "http500", 1097)]
    [InlineData(1099, Verdict.Rerouteable, "notSent", 0)]
    public async Task Answer_proves_what_the_core_signed_and_nothing_else(long amountFen, Verdict verdict, string code, long bookedFen)
    {
        var order = Order(amountFen);
        var answer = await Pay(order);
        Assert.Equal((verdict, code), (answer.Verdict, answer.Code));

        // Whatever was answered, a query tells what the book has.
        var asked = await Channel.Query(order, default);
        Assert.Equal(bookedFen > 0 ? Verdict.Approved : Verdict.Closed, asked.Verdict);
        Assert.Equal(bookedFen, Booked(order)!.NetFen);
    }

    [Fact]
    public async Task Answer_that_was_signed_for_another_request_is_not_believed()
    {
        await Pay(Order(1000));
        Assert.Equal("bad-signature", (await Pay(Order(1090))).Code);
    }

    [Fact]
    public async Task Answer_that_hangs_ends_with_the_callers_patience()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var order = Order(1093);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Channel.Pay(Payment(order), stop.Token));
        Assert.Equal(Verdict.Approved, (await Channel.Query(order, default)).Verdict);
    }

    [Fact]
    public async Task Reversal_that_is_answered_and_does_nothing_is_seen_by_a_query()
    {
        var order = Order(1098);
        await Pay(order);
        Assert.Equal(Verdict.Reversed, (await Channel.Reverse(order, default)).Verdict);
        Assert.Equal(Verdict.Approved, (await Channel.Query(order, default)).Verdict);
        await Channel.Reverse(order, default);
        Assert.Equal(Verdict.Reversed, (await Channel.Query(order, default)).Verdict);
    }

    [Fact]
    public async Task Reversal_of_what_never_arrived_takes_the_number_so_that_a_late_payment_charges_nothing()
    {
        var order = Order(1000);
        Assert.Equal(Verdict.Closed, (await Channel.Reverse(order, default)).Verdict);
        Assert.NotEqual(Verdict.Approved, (await Pay(order)).Verdict);
        Assert.Equal(0, Booked(order)!.NetFen);
    }

    [Fact]
    public async Task Request_that_is_sent_again_by_somebody_else_is_turned_away()
    {
        using var http = new HttpClient();
        var nonce = new string('a', 32);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        async Task<HttpStatusCode> Send(long seconds, string sent, string? signature = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, core.Url + "/v1/account");
            request.Headers.Add("DeviceHub-Account", "shop-1");
            request.Headers.Add("DeviceHub-Timestamp", $"{seconds}");
            request.Headers.Add("DeviceHub-Nonce", sent);
            var text = System.Text.Encoding.UTF8.GetBytes($"GET\n/v1/account\n{seconds}\n{sent}\n");
            request.Headers.Add("DeviceHub-Signature", signature ?? Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Secret), text)));
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await Send(now, nonce));
        Assert.Equal(HttpStatusCode.Unauthorized, await Send(now, nonce));
        Assert.Equal(HttpStatusCode.Unauthorized, await Send(now - 400, new string('b', 32)));
        Assert.Equal(HttpStatusCode.Unauthorized, await Send(now, new string('c', 32), new string('0', 64)));
        Assert.Equal(new Dictionary<string, int> { ["replay"] = 1, ["clock"] = 1, ["signature"] = 1 }, core.TurnedAway);
    }

    [Fact]
    public async Task Account_that_cannot_work_says_why_and_its_payments_go_elsewhere()
    {
        Assert.Equal("asked the routing core about the account: bad-signature, http401", (await Channel.Test(Account(secret: new string('x', 32)), default)).Says);
        Assert.Equal("account", (await Pay(Order(1000, Account(baseUrl: "https://169.254.169.254")))).Code);
        Assert.Equal(Verdict.Rerouteable, (await Pay(Order(1000, Account(baseUrl: "http://10.0.0.1")))).Verdict);
        Assert.Contains("must be https", Channel.FieldFault("baseUrl", "http://10.0.0.1")!, StringComparison.Ordinal);
        Assert.Contains("Remote:AllowedHosts: '169.254.169.254'", Channel.FieldFault("baseUrl", "https://169.254.169.254/x")!, StringComparison.Ordinal);
        Assert.Contains("without user", Channel.FieldFault("baseUrl", core.Url.Replace("://", "://user@", StringComparison.Ordinal))!, StringComparison.Ordinal);
        Assert.Null(Channel.FieldFault("baseUrl", core.Url + "/prefix/"));

        // Nobody listens at port 1.
        await using var nowhere = Services(TimeProvider.System, "127.0.0.1:1");
        var (channel, order) = (nowhere.GetRequiredService<IPaymentChannel>(), Order(1000, Account(baseUrl: "http://127.0.0.1:1")));
        var gone = await channel.Pay(Payment(order), default);
        Assert.Equal((Verdict.Rerouteable, "unreachable"), (gone.Verdict, gone.Code));
        Assert.Equal(Verdict.Unknown, (await channel.Query(order, default)).Verdict);
    }

    [Fact]
    public async Task Hub_whose_clock_is_wrong_is_turned_away_and_nothing_is_charged()
    {
        await using var late = Services(new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(-6)), new Uri(core.Url).Authority);
        var order = Order(1000);
        var answer = await late.GetRequiredService<IPaymentChannel>().Pay(Payment(order), default);
        Assert.Equal((Verdict.Unknown, "bad-signature"), (answer.Verdict, answer.Code));
        Assert.Null(Booked(order));
    }

    private IPaymentChannel Channel => services!.GetRequiredService<IPaymentChannel>();

    [Fact]
    public void Book_is_read_again_without_half_a_line_and_written_on_behind_it()
    {
        var path = Path.GetTempFileName();
        try
        {
            Keep("one");
            File.AppendAllText(path, "{\"Number\":\"half");
            Keep("two");
            using var book = new CoreBook(path);
            Assert.Equal(["one", "two"], book.Orders.Select(o => o.Number).Order(StringComparer.Ordinal));
        }
        finally
        {
            File.Delete(path);
        }

        void Keep(string number)
        {
            using var book = new CoreBook(path);
            book.Change(number, _ => new Order(number, 100, "", "paid", DateTimeOffset.UnixEpoch, 0, []));
        }
    }

    [Theory]
    [InlineData("{\"a\":1}\n")]
    [InlineData("null\n")]
    [InlineData("notes\n")]
    [InlineData("notes")]
    public void File_that_is_no_book_is_refused_and_stays_as_it_is(string text)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => new CoreBook(path)).Message, StringComparison.Ordinal);
            Assert.Equal(text, File.ReadAllText(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private Order? Booked(ChannelReference order) => core.Book.Find(order.OrderNumber);

    private Task<ChannelVerdict> Pay(ChannelReference order) => Channel.Pay(Payment(order), default);

    private static ChannelPayment Payment(ChannelReference order) =>
        new(order, new PaymentCode("134567890123456789"), Wallet.WeChat, "Noodle shop 面馆", "SN1", TimeProvider.System.GetUtcNow().AddMinutes(1));

    private ChannelReference Order(long amountFen, ChannelAccount? account = null) => new($"d{Interlocked.Increment(ref numbers):x29}", account ?? Account(), amountFen);

    private ChannelAccount Account(string? baseUrl = null, string secret = Secret) => new()
    {
        Id = "ca_1", MerchantId = "M1", Channel = "remote",
        Settings = new Dictionary<string, string> { ["baseUrl"] = baseUrl ?? core.Url, ["account"] = "shop-1" },
        Secrets = new Dictionary<string, SecretText> { ["secret"] = new(secret) },
    };

    private static ServiceProvider Services(TimeProvider clock, string host) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("Remote:AllowedHosts:0", host)]).Build())
        .AddSingleton(clock).AddLogging().AddRemoteCore().BuildServiceProvider();
}
