using System.Globalization;
using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Problems;
using DeviceHub.Core.Terminals;
using DeviceHub.Dashboard.Charts;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;

namespace DeviceHub.Dashboard.Pages;

/// <summary>The fleet and the money at a glance. Each number leads to the list behind it.</summary>
public sealed partial class Overview
{
    /// <summary>Time itself changes what is shown: terminals fall silent, minutes end.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);

    private ITimer? ticker;
    private FleetCounts? fleet;
    private OverviewMoney? money;
    private IReadOnlyList<Problem> problems = [];
    private PaymentSeries? series;
    private Drawn? charts;
    private StatisticsSpan span;
    private bool asTable;

    [Inject]
    private IStringLocalizer<Overview> T { get; set; } = default!;

    [Inject]
    private Format Format { get; set; } = default!;

    [Inject]
    private OverviewBoard Board { get; set; } = default!;

    [Inject]
    private IOptions<TerminalOptions> Terminals { get; set; } = default!;

    [Inject]
    private NavigationManager Navigation { get; set; } = default!;

    /// <summary>Of the charts: day or week; null: the last hour.</summary>
    [SupplyParameterFromQuery]
    public string? Range { get; set; }

    private string SilentAfter => Format.For(TimeSpan.FromSeconds(Terminals.Value.SilentAfterHeartbeats * Terminals.Value.HeartbeatIntervalSeconds)) ?? "";

    private string Today => Format.Local(Clock.GetUtcNow()).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    protected override async Task OnInitializedAsync()
    {
        span = Wanted();
        Follow(LiveFeed.Payments, LiveFeed.Terminals);
        ticker = Clock.CreateTimer(_ => Changed(), null, Tick, Tick);
        await base.OnInitializedAsync();
    }

    protected override async Task OnParametersSetAsync()
    {
        if (Wanted() != span)
        {
            span = Wanted();
            await Refresh();
        }
    }

    protected override async Task Read(CancellationToken stop)
    {
        // The first time what others have read a moment ago is good enough; after a change only what was read after it.
        money = await (Loaded ? Board.Money.Fresh() : Board.Money.Recent()).WaitAsync(stop);
        fleet = await Board.Fleet.Recent().WaitAsync(stop);
        problems = await Board.Newest.Recent().WaitAsync(stop);
        var read = await Board.Series(span).Recent().WaitAsync(stop);
        if (!ReferenceEquals(read, series))
        {
            (series, charts) = (read, Draw(read));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (ticker is not null)
        {
            await ticker.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    private StatisticsSpan Wanted() => Enum.TryParse<StatisticsSpan>(Range, ignoreCase: true, out var named) && Enum.IsDefined(named) ? named : StatisticsSpan.Hour;

    /// <summary>A chart's point leads to its payments.</summary>
    private void Pick(int point)
    {
        if (series is { } shown)
        {
            Navigation.NavigateTo(PaymentsAt(shown, point));
        }
    }

    private string PaymentsAt(PaymentSeries shown, int point)
    {
        var (from, to) = (Format.Local(shown.TimeOf(point)), Format.Local(shown.TimeOf(point + 1)));
        return string.Create(CultureInfo.InvariantCulture, $"/payments?from={from:yyyy-MM-dd'T'HH:mm}&to={to:yyyy-MM-dd'T'HH:mm}&tests=0");
    }

    private Drawn Draw(PaymentSeries from)
    {
        ChartSeries Bars(string name, ChartTone tone, Func<PaymentCounts, long> count) => new(T[name], tone, [.. from.Points.Select(p => (double?)count(p))], Bars: true);
        ChartSeries Line(string name, ChartTone tone, Func<PaymentCounts, double?> value) => new(T[name], tone, [.. from.Points.Select(value)]);
        var sum = new PaymentCounts();
        foreach (var point in from.Points)
        {
            sum.Add(point);
        }

        return new Drawn(
            sum,
            [.. Enumerable.Range(0, from.Points.Count).Select(from.TimeOf)],
            [
                Bars("Approved", ChartTone.Good, p => p.Approved), Bars("Declined", ChartTone.Quiet, p => p.Declined), Bars("NotPaid", ChartTone.Warning, p => p.NotCharged + p.Refunded),
                Bars("Doubtful", ChartTone.Bad, p => p.InDoubt), Bars("Running", ChartTone.Main, p => p.Running),
            ],
            [Line("Success", ChartTone.Good, p => p.SuccessShare)],
            [Line("Half", ChartTone.Main, p => p.Times.Quantile(.5)), Line("Most", ChartTone.Warning, p => p.Times.Quantile(.95))]);
    }

    private string Said(Drawn drawn) =>
        T["ChartPaymentsSaid", Format.Count(drawn.Sum.Accepted), Format.Count(drawn.Sum.Approved), Format.Count(drawn.Sum.Declined), Format.Count(drawn.Sum.InDoubt)];

    private string Silent(FleetCounts counts) => counts.Connected == 0 ? T["NoneConnected"] : counts.Silent == 0 ? T["SilentNone"] : Format.Plural(T, "silent", counts.Silent);

    private static string Rate(double rate) => rate is > 0 and < 10 ? rate.ToString("0.0", CultureInfo.InvariantCulture) : Format.Count((long)Math.Round(rate));

    private string Time(PaymentCounts counts, double share) => counts.Times.Quantile(share) is { } ms ? Format.Took(ms) : "–";

    private string When(Problem problem) => problem switch
    {
        { At: null } => T["JustSo"],
        { Kind: ProblemKind.CertificateEnds, At: { } end } => Format.Short(end),
        { At: { } at } => Format.Ago(at),
    };

    private string Say(Problem problem) => problem.Kind switch
    {
        ProblemKind.PaymentInDoubt or ProblemKind.PaymentNeedsAttention or ProblemKind.RefundProposed => T["SayPayment", Format.Money(problem.AmountFen), problem.Payment!.Value.SerialNumber],
        ProblemKind.OutcomesNotShown => problem.Count >= Problem.CountTo ? T["SayOutcomesNotShownMany", Format.Count(problem.Count)] : Format.Plural(T, "SayOutcomesNotShown", problem.Count),
        ProblemKind.SearchBehind => T["SaySearchBehind", Format.Count(problem.Count)],
        _ => T[$"Say{problem.Kind}", problem.Subject, problem.Day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? ""],
    };

    private static string? Link(Problem problem) => problem switch
    {
        { Payment: { } payment } => $"/payments/{Uri.EscapeDataString(payment.SerialNumber)}/{Uri.EscapeDataString(payment.RequestId)}",
        { Kind: ProblemKind.OutcomesNotShown } => $"/payments?notShown=1&span={Problem.News.Days}d",
        { Kind: ProblemKind.OtherHardware } => $"/terminals/{Uri.EscapeDataString(problem.Subject)}",
        { Kind: ProblemKind.ConfigurationNotApplied } => $"/terminals/{Uri.EscapeDataString(problem.Subject)}/configuration",
        _ => null,
    };

    private static string Word(StatisticsSpan span) => span == StatisticsSpan.Day ? "day" : "week";

    /// <summary>A series as charts of this reader's language.</summary>
    private sealed record Drawn(
        PaymentCounts Sum, IReadOnlyList<DateTimeOffset> Times, IReadOnlyList<ChartSeries> Payments, IReadOnlyList<ChartSeries> Success, IReadOnlyList<ChartSeries> Speed);
}
