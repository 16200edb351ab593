using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.JSInterop;

namespace DeviceHub.Dashboard.Payments;

/// <summary>
/// The list. A search is read once; from then on only what is new since and the rows that are shown are read again, so that a page which stays open
/// costs the same however seldom what it looks for is. Where a payment may come in long after it was accepted, the newest page is read.
/// </summary>
public partial class PaymentsPage
{
    private const int PageRows = 50;
    private const int CountTo = 1_000;

    /// <summary>Of the choice of states and of times: neither is one of them.</summary>
    private const string Attention = "attention";
    private const string NotShown = "notShown";
    private const string Own = "own";

    /// <summary>The projection follows in half a second; clocks of grains differ by less.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(30);

    /// <summary>Of a list that grows with the time alone.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    private readonly Typed typed = new();
    private readonly HashSet<long> fresh = [];
    private PaymentsQuery query = new();
    private List<PaymentSummary> rows = [];
    private PaymentWordKind readAs;
    private bool hasMore;
    private bool more;
    private int count;
    private int newer;
    private DotNetObjectReference<PaymentsPage>? self;
    private PageScript? script;
    private ITimer? ticking;
    private bool mayMove = true;
    private bool searched;
    private DateTimeOffset searchedAt;

    private string? Found => !Loaded ? null : count >= CountTo ? T["FoundMany", Format.Count(CountTo)].Value : Format.Plural(T, "Found", count);

    private PaymentWordKind? ReadAs => Loaded && query.Filter.Text is not null ? readAs : null;

    private IEnumerable<(string Name, string Value, PaymentsQuery Without)> Chips
    {
        get
        {
            var f = query.Filter;
            if (f.MerchantId is { } merchant)
            {
                yield return (T["Merchant"], rows.FirstOrDefault()?.MerchantName ?? merchant, query with { Filter = f with { MerchantId = null }, OlderThan = null });
            }

            if (f.StoreId is { } store)
            {
                yield return (T["Store"], rows.FirstOrDefault()?.StoreName ?? store, query with { Filter = f with { StoreId = null }, OlderThan = null });
            }

            if (f.SerialNumber is { } terminal)
            {
                yield return (T["Terminal"], terminal, query with { Filter = f with { SerialNumber = null }, OlderThan = null });
            }

            if (f.OrderNumber is { } order)
            {
                yield return (T["Order"], order, query with { Filter = f with { OrderNumber = null }, OlderThan = null });
            }

            if (f.Result is { } result)
            {
                yield return (T["Outcome"], Words.Of(PaymentStatuses.Of(PaymentStage.Final, result, 1, 0)), query with { Filter = f with { Result = null }, OlderThan = null });
            }

            if (f.IsTest is { } test)
            {
                yield return (T["Tests"], T[test ? "TestsOnly" : "TestsLeftOut"], query with { Filter = f with { IsTest = null }, OlderThan = null });
            }

            if (f.Channel is { } channel)
            {
                yield return (T["Channel"], ChannelName(channel), query with { Filter = f with { Channel = null }, OlderThan = null });
            }

            if (f.MinFen is not null || f.MaxFen is not null)
            {
                yield return (
                    T["Amount"], $"{(f.MinFen is { } min ? Format.Money(min) : "")} – {(f.MaxFen is { } max ? Format.Money(max) : "")}", query with { Filter = f with { MinFen = null, MaxFen = null }, OlderThan = null });
            }
        }
    }

    [JSInvokable]
    public async Task MayMove(bool may)
    {
        mayMove = may;
        if (may && newer > 0)
        {
            await Refresh();
        }
    }

    protected override async Task OnInitializedAsync()
    {
        Navigation.LocationChanged += Moved;
        ticking = Clock.CreateTimer(_ => Changed(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Take();
        Follow(LiveFeed.Payments);
        await base.OnInitializedAsync();
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (script is null && rows.Count > 0)
        {
            (self, script) = (DotNetObjectReference.Create(this), new(Scripts, "Payments/PaymentsPage.razor.js"));
            await script.Make("watch", self);
        }
    }

    protected override async Task Read(CancellationToken stop)
    {
        if (searched)
        {
            await ReadAgain(stop);
            return;
        }

        var (now, wanted) = (Clock.GetUtcNow(), query);
        var found = await Payments.Find(wanted.Find(now), new PaymentSlice(PageRows, wanted.OlderThan), stop);
        var all = found.More || wanted.OlderThan is not null ? await Payments.Count(wanted.Find(now), null, CountTo, stop) : found.Items.Count;
        if (wanted == query)
        {
            (rows, hasMore, readAs, count, newer, searched, searchedAt) = ([.. found.Items], found.More, found.ReadAs, all, 0, true, now);
            fresh.Clear();
        }
    }

    /// <summary>What is new since the search, and the rows that are shown as they are now.</summary>
    private async Task ReadAgain(CancellationToken stop)
    {
        var (now, wanted) = (Clock.GetUtcNow(), query);
        var known = rows.Select(r => r.Position.Seq).ToHashSet();
        var again = (await Payments.Read([.. known], stop)).ToDictionary(p => p.Position.Seq);
        IReadOnlyList<PaymentSummary> come = [];
        if (wanted.OlderThan is null)
        {
            var filter = wanted.Find(now);
            var since = searchedAt - Overlap;
            var found = await Payments.Find(wanted.TakesOldOnes || filter.From > since ? filter : filter with { From = since }, new PaymentSlice(PageRows), stop);
            readAs = found.ReadAs == PaymentWordKind.None ? readAs : found.ReadAs;
            var last = hasMore && rows.Count > 0 ? Place(rows[^1]) : default;
            come = [.. found.Items.Where(p => !known.Contains(p.Position.Seq) && Place(p).CompareTo(last) > 0)];
        }

        if (wanted != query)
        {
            return;
        }

        rows = [.. rows.Select(r => again.GetValueOrDefault(r.Position.Seq, r))];
        newer = come.Count;
        if (come.Count > 0 && mayMove)
        {
            fresh.Clear();
            fresh.UnionWith(come.Select(p => p.Position.Seq));
            hasMore |= rows.Count + come.Count > PageRows;
            rows = [.. come.Concat(rows).OrderByDescending(Place).Take(PageRows)];
            (count, newer, searchedAt) = (Math.Min(CountTo, count + come.Count), 0, now);
        }
    }

    private static (DateTimeOffset AcceptedAt, long Seq) Place(PaymentSummary payment) => (payment.AcceptedAt, payment.Position.Seq);

    private Task Reload()
    {
        searched = false;
        return Refresh();
    }

    private async Task ToTop()
    {
        if (script is not null)
        {
            await script.Call<object>("toTop");
        }

        mayMove = true;
        await Reload();
    }

    private void Moved(object? sender, LocationChangedEventArgs e)
    {
        if (new Uri(e.Location).AbsolutePath == PaymentsQuery.Path)
        {
            Take();
            _ = InvokeAsync(Reload);
        }
    }

    /// <summary>The address is what is searched for, and what stands in the fields.</summary>
    private void Take()
    {
        query = PaymentsQuery.Parse(new Uri(Navigation.Uri).Query, Format.Zone);
        var f = query.Filter;
        (typed.Text, typed.Wallet, typed.Terminal, typed.Channel) = (f.Text, f.Wallet?.ToString() ?? "", f.SerialNumber, f.Channel ?? "");
        typed.Status = f switch { { NeedsAttention: true } => Attention, { OutcomeNotShown: true } => NotShown, _ => f.Status?.ToString() ?? "" };
        (typed.From, typed.To) = (Local(f.From), Local(f.To));
        typed.Span = query.Span ?? (f.From is null && f.To is null ? "" : Own);
        (typed.Min, typed.Max) = (PaymentsQuery.Yuan(f.MinFen), PaymentsQuery.Yuan(f.MaxFen));
        ticking?.Change(f.OutcomeNotShown is true ? Tick : Timeout.InfiniteTimeSpan, Tick);
        more |= f is not { MinFen: null, MaxFen: null, SerialNumber: null, Channel: null };
    }

    private void Search()
    {
        if (Wrong(typed.Min) || Wrong(typed.Max))
        {
            more = true;
            return;
        }

        var own = typed.Span is Own or "";
        Go(query with
        {
            OlderThan = null,
            Span = own ? null : typed.Span,
            Filter = query.Filter with
            {
                Text = Given(typed.Text),
                SerialNumber = Given(typed.Terminal),
                Channel = Given(typed.Channel),
                Status = Enum.TryParse<PaymentStatus>(typed.Status, out var status) ? status : null,
                NeedsAttention = typed.Status == Attention ? true : null,
                OutcomeNotShown = typed.Status == NotShown ? true : null,
                Wallet = Enum.TryParse<Wallet>(typed.Wallet, out var wallet) ? wallet : null,
                From = typed.Span == Own ? PaymentsQuery.Time(typed.From?.ToString("yyyy-MM-dd'T'HH:mm", null), Format.Zone) : null,
                To = typed.Span == Own ? PaymentsQuery.Time(typed.To?.ToString("yyyy-MM-dd'T'HH:mm", null), Format.Zone) : null,
                MinFen = PaymentsQuery.Fen(typed.Min),
                MaxFen = PaymentsQuery.Fen(typed.Max),
            },
        });
    }

    /// <summary>Who types a time wants it, whatever span was chosen before.</summary>
    private void OwnTime() => typed.Span = Own;

    private void Go(PaymentsQuery wanted) => Navigation.NavigateTo(wanted.Address(Format.Zone));

    private DateTime? Local(DateTimeOffset? at) => at is { } a ? Format.Local(a).DateTime : null;

    private string ChannelName(string channel) => Words.Channel(channel) is var name && name == channel ? name : $"{name} ({channel})";

    private static bool Wrong(string? yuan) => Given(yuan) is not null && PaymentsQuery.Fen(yuan) is null;

    private static string? Given(string? text) => text?.Trim() is { Length: > 0 } given ? given : null;

    public override async ValueTask DisposeAsync()
    {
        Navigation.LocationChanged -= Moved;
        if (ticking is not null)
        {
            await ticking.DisposeAsync();
        }

        if (script is not null)
        {
            await script.DisposeAsync();
        }

        self?.Dispose();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>What stands in the fields.</summary>
    private sealed class Typed
    {
        public string? Text { get; set; }
        public string Status { get; set; } = "";
        public string Wallet { get; set; } = "";
        public string Span { get; set; } = "";
        public DateTime? From { get; set; }
        public DateTime? To { get; set; }
        public string? Min { get; set; }
        public string? Max { get; set; }
        public string? Terminal { get; set; }
        public string Channel { get; set; } = "";
    }
}
