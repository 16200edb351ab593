using DeviceHub.Core;
using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Dashboard;
using DeviceHub.Dashboard.Payments;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Microsoft.JSInterop;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>What comes into a list of payments that is open.</summary>
public sealed class PaymentsPageTests : IAsyncDisposable
{
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly LiveFeed feed = new();
    private readonly Ledger ledger = new();
    private readonly Address address = new();
    private readonly RenderedPages pages;

    public PaymentsPageTests() => pages = new(new ServiceCollection().AddLogging().AddLocalization().AddSingleton<TimeProvider>(clock).AddSingleton(feed).AddSingleton<IPaymentSearch>(ledger)
            .AddSingleton<NavigationManager>(address).AddSingleton<IJSRuntime, NoScripts>().AddSingleton(new PaymentChannels([])).AddSingleton(Options.Create(new DashboardOptions()))
            .AddSingleton<Format>().AddSingleton<LedgerWords>().AddSingleton<ChannelWords>().AddSingleton<Who>().AddSingleton<IApiKeys, NoKeys>().AddSingleton<PaymentWords>());

    public ValueTask DisposeAsync() => pages.DisposeAsync();

    [Fact]
    public async Task Payment_whose_outcome_is_not_confirmed_in_time_comes_in_at_its_place_though_nothing_happens()
    {
        var now = clock.GetUtcNow();
        ledger.Add("newer", now.AddMinutes(-10));
        ledger.Add("older", now.AddMinutes(-40));
        var (late, _) = (ledger.Add("late", now.AddMinutes(-20), listedAt: now.AddSeconds(30)), ledger.Add("paid", now.AddMinutes(-5), listedAt: DateTimeOffset.MaxValue));
        var page = await Open("/payments?notShown=1");
        Assert.Equal(["newer", "older"], await Rows(page));

        await Pass(29);
        Assert.Equal(["newer", "older"], await Rows(page));
        await Pass(3);
        Assert.Equal(["newer", "late", "older"], await Rows(page));

        ledger.Confirm(late);
        await Pass(2);
        Assert.Contains("confirmed by now", await pages.Html(page), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/payments?status=inDoubt")]
    [InlineData("/payments?attention=1")]
    [InlineData("/payments?status=refunded")]
    public async Task Old_payment_comes_into_a_list_of_few_when_it_changes(string list)
    {
        var now = clock.GetUtcNow();
        ledger.Add("newer", now.AddMinutes(-10));
        ledger.Add("late", now.AddMinutes(-20), listedAt: now.AddSeconds(60));
        var page = await Open(list);
        await Pass(60);
        Assert.Equal(["newer"], await Rows(page));
        feed.Changed(LiveFeed.Payments);
        await Pass(1);
        Assert.Equal(["newer", "late"], await Rows(page));
    }

    [Fact]
    public async Task Search_among_all_is_not_made_again_for_what_is_new()
    {
        var page = await Open("/payments?wallet=alipay");
        ledger.Add("new", clock.GetUtcNow());
        feed.Changed(LiveFeed.Payments);
        await Pass(1);
        Assert.Equal(["new"], await Rows(page));
        Assert.NotNull(ledger.Asked[^1].From);
    }

    private async Task<Microsoft.AspNetCore.Components.Web.HtmlRendering.HtmlRootComponent> Open(string path)
    {
        address.Start(path);
        var page = await pages.Open<PaymentsPage>();
        await pages.Settle();
        return page;
    }

    private async Task Pass(int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            ledger.Now = clock.GetUtcNow().AddSeconds(1);
            clock.Advance(TimeSpan.FromSeconds(1));
            await pages.Settle();
        }
    }

    private async Task<string[]> Rows(Microsoft.AspNetCore.Components.Web.HtmlRendering.HtmlRootComponent page) =>
        [.. System.Text.RegularExpressions.Regex.Matches(await pages.Html(page), "href=\"/payments/SN/([a-z]+)\"").Select(m => m.Groups[1].Value)];

    /// <summary>Payments that a list's own filter finds from some time on.</summary>
    private sealed class Ledger : IPaymentSearch
    {
        private readonly List<(PaymentSummary Payment, DateTimeOffset ListedAt)> all = [];

        public DateTimeOffset Now { get; set; }

        public List<PaymentFilter> Asked { get; } = [];

        public long Add(string requestId, DateTimeOffset acceptedAt, DateTimeOffset listedAt = default)
        {
            var seq = all.Count + 1;
            all.Add((
                new(new PaymentId("SN", requestId), new PaymentPosition(acceptedAt, seq), "M", "Merchant", "S", "Store", 1000, 1000, 0, 0, Wallet.Alipay, "1234", null, PaymentStage.Final,
                    PaymentResult.Approved, DeclineReason.None, 1, 0, acceptedAt, 1, null, null, null, null, null, false),
                listedAt));
            return seq;
        }

        public void Confirm(long seq)
        {
            var (payment, _) = all[(int)seq - 1];
            all[(int)seq - 1] = (payment with { ShownRevision = 1 }, DateTimeOffset.MaxValue);
        }

        public Task<PaymentsFound> Find(PaymentFilter filter, PaymentSlice slice, CancellationToken stop)
        {
            Asked.Add(filter);
            var found = all.Where(p => p.ListedAt <= Now && !(p.Payment.AcceptedAt < filter.From)).Select(p => p.Payment).OrderByDescending(p => p.AcceptedAt).Take(slice.Limit);
            return Task.FromResult(new PaymentsFound([.. found], false, 0, PaymentWordKind.None));
        }

        public Task<int> Count(PaymentFilter filter, PaymentPosition? newerThan, int atMost, CancellationToken stop) => Task.FromResult(0);

        public Task<IReadOnlyList<PaymentSummary>> Read(IReadOnlyCollection<long> seqs, CancellationToken stop) =>
            Task.FromResult<IReadOnlyList<PaymentSummary>>([.. all.Select(p => p.Payment).Where(p => seqs.Contains(p.Position.Seq))]);
    }

    private sealed class NoKeys : IApiKeys
    {
        public IReadOnlyList<string> Scopes => [];

        public Task<IReadOnlyList<ApiKeyEntry>> List(int skip, int take, CancellationToken stop) => Task.FromResult<IReadOnlyList<ApiKeyEntry>>([]);

        public Task<CreatedApiKey> Create(Actor by, string name, IReadOnlyList<string> scopes, DateTimeOffset? expires, string? merchantId, CancellationToken stop) => throw new NotSupportedException();

        public Task<bool> Revoke(Actor by, string id, CancellationToken stop) => throw new NotSupportedException();
    }

    private sealed class Address : NavigationManager
    {
        public void Start(string path) => Initialize("http://127.0.0.1/", "http://127.0.0.1" + path);
    }

    private sealed class NoScripts : IJSRuntime
    {
        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, object?[]? args) => throw new JSDisconnectedException("there is no browser");

        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, CancellationToken cancellationToken, object?[]? args) => throw new JSDisconnectedException("there is no browser");
    }
}
