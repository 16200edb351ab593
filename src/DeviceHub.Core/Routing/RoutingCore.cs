using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Problems;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Routing;

/// <summary>
/// The built-in routing core: <see cref="RoutingDecisions"/> with the accounts' terms, their health and what they took today. Health is kept
/// in memory for accounts that exist, so it has a bound; a restart begins with all circuits closed.
/// </summary>
public sealed class RoutingCore(ChannelAccountBook accounts, IOptions<RoutingOptions> options, TimeProvider clock) : IRoutingCore
{
    private readonly RoutingOptions options = options.Value;
    private readonly ConcurrentDictionary<string, AccountHealth> health = new(StringComparer.Ordinal);
    private readonly long started = clock.GetTimestamp();

    public Route Choose(RouteRequest request)
    {
        while (true)
        {
            var decision = Explain(request);

            // Only a test names a channel. Nothing is learnt from it, so as the try of an account that had failed it would keep the next payment from trying.
            // Of payments that are chosen for at the same moment each sees those that came before it.
            if (decision.Account is not { Version: > 0 } account || request.OnlyChannel is not null || Of(account.Id).Choose(request, account, clock.GetElapsedTime(started)))
            {
                return new(decision.Account, decision.Why);
            }
        }
    }

    /// <summary>What <see cref="Choose"/> would choose now, and why; nothing is changed by it.</summary>
    public RouteDecision Explain(RouteRequest request)
    {
        var own = accounts.Of(request.MerchantId);
        if (own.IsEmpty)
        {
            return Default(request);
        }

        if (request.OnlyChannel is { } only)
        {
            own = own.RemoveAll(a => a.Channel != only);
        }

        var standings = new AccountStanding[own.Length];
        for (var i = 0; i < own.Length; i++)
        {
            var (circuit, today) = Standing(own[i], request.At);
            standings[i] = new(own[i], circuit, today + UnderWay(own[i], request));
        }

        return RoutingDecisions.Decide(request, standings, RoutingDecisions.Number(request));
    }

    /// <summary>An account's circuit now, and what it has taken on its own calendar day.</summary>
    public (CircuitView Circuit, long TodayFen) Standing(ChannelAccount account, DateTimeOffset at)
    {
        var now = clock.GetElapsedTime(started);
        return health.TryGetValue(account.Id, out var known) ? known.View(now, account.Terms.DayOf(at)) : (default, 0);
    }

    private long UnderWay(ChannelAccount account, RouteRequest request) =>
        account.Terms.DayLimitFen is not null && health.TryGetValue(account.Id, out var known) ? known.UnderWay(clock.GetElapsedTime(started), request.Payment) : 0;

    /// <summary>Ids of accounts whose circuit is not closed now.</summary>
    public IEnumerable<string> NotClosed()
    {
        var now = clock.GetElapsedTime(started);
        return health.Where(h => h.Value.View(now, default).Circuit.Circuit != Circuit.Closed).Select(h => h.Key).Order(StringComparer.Ordinal);
    }

    public void Learn(RouteLesson lesson)
    {
        if (accounts.Known(lesson.Account) is not { } account)
        {
            return;
        }

        if (lesson.Call == EffectKind.Pay)
        {
            RoutingMetrics.Payments.Add(
                1,
                new("account", account.Id),
                new KeyValuePair<string, object?>("channel", account.Channel),
                new KeyValuePair<string, object?>("verdict", lesson.Verdict.Verdict.ToString()));
        }

        Of(account.Id).Learn(lesson, account, clock.GetElapsedTime(started), options);
    }

    /// <summary>What an account had taken today before this process began.</summary>
    public void Restore(string account, DateOnly day, long takenFen) => Of(account).Take(day, takenFen);

    /// <summary>A payment that was sent to an account before this process began, and may be charged yet.</summary>
    public void Resume(string account, PaymentId payment, long fen) => Of(account).Resume(payment, fen, clock.GetElapsedTime(started));

    private RouteDecision Default(RouteRequest request)
    {
        if (options.DefaultChannel.Length == 0)
        {
            return new(null, "the merchant has no channel account, and there is no default channel", []);
        }

        if (request.OnlyChannel is { } only && only != options.DefaultChannel)
        {
            return new(null, $"only the channel {only} may take it, and the default channel is {options.DefaultChannel}", []);
        }

        return request.Tried.Contains(request.MerchantId)
            ? new(null, $"the merchant has no channel account, and the default channel {options.DefaultChannel} was tried", [])
            : new(ChannelAccountBook.Default(request.MerchantId, options.DefaultChannel), $"the merchant has no channel account, so the default channel {options.DefaultChannel} takes it", []);
    }

    private AccountHealth Of(string account) => health.GetOrAdd(account, id => new AccountHealth(id, options));
}

/// <summary>What is known of one account. Its lock is held for moments only.</summary>
internal sealed class AccountHealth(string id, RoutingOptions options)
{
    private readonly Lock sync = new();
    /// <summary>A payment of which nothing is heard for so long is not counted as under way any more; when it was charged after all, it counts from then on.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(3);

    private readonly CircuitBreaker breaker = new(options);

    /// <summary>Sent here and not settled, of an account with a day limit.</summary>
    private readonly Dictionary<PaymentId, (long Fen, TimeSpan Since)> underWay = [];
    private DateOnly day;
    private long takenFen;

    public (CircuitView Circuit, long TodayFen) View(TimeSpan now, DateOnly today)
    {
        lock (sync)
        {
            return (breaker.View(now), day == today ? takenFen : 0);
        }
    }

    /// <summary>What may still be taken by payments that run, but for this one.</summary>
    public long UnderWay(TimeSpan now, PaymentId? besides)
    {
        lock (sync)
        {
            var sum = 0L;
            foreach (var (payment, (fen, since)) in underWay)
            {
                if (now - since >= Forgotten)
                {
                    underWay.Remove(payment);
                }
                else if (payment != besides)
                {
                    sum += fen;
                }
            }

            return sum;
        }
    }

    /// <summary>False: others have come first, and the day limit leaves no room.</summary>
    public bool Choose(RouteRequest request, ChannelAccount account, TimeSpan now)
    {
        lock (sync)
        {
            if (account.Terms.DayLimitFen is { } limit && request.Payment is { } payment)
            {
                var taken = account.Terms.DayOf(request.At) == day ? takenFen : 0;
                if (taken + UnderWay(now, payment) + request.AmountFen > limit)
                {
                    return false;
                }

                underWay[payment] = (request.AmountFen, now);
            }

            if (breaker.View(now).Circuit != Circuit.Closed)
            {
                breaker.Probe(now);
            }

            return true;
        }
    }

    public void Learn(RouteLesson lesson, ChannelAccount account, TimeSpan now, RoutingOptions options)
    {
        lock (sync)
        {
            // The payer was charged. A payment that is asked about again after it was paid (a reversal that did nothing) counts twice: the
            // limit is then reached early, never late.
            if (lesson is { Call: EffectKind.Pay or EffectKind.Query, Verdict.Verdict: Verdict.Approved })
            {
                Add(account.Terms.DayOf(lesson.At), lesson.AmountFen);
            }

            if (lesson is { Payment: { } payment, Call: EffectKind.Pay or EffectKind.Query, Verdict.Verdict: not (Verdict.Unknown or Verdict.Pending or Verdict.NotFound) })
            {
                underWay.Remove(payment);
            }

            var before = breaker.View(now).Circuit == Circuit.Closed;
            if (lesson.Call == EffectKind.Pay || (before && IsUnanswered(lesson)))
            {
                breaker.Learn(Failed(lesson), lesson.Took >= options.BreakerSlowAfter, lesson.Took, now);
                var after = breaker.View(now).Circuit == Circuit.Closed;
                if (before != after)
                {
                    RoutingMetrics.CircuitsOpen.Add(after ? -1 : 1, new KeyValuePair<string, object?>("account", id));
                }
            }
        }
    }

    public void Resume(PaymentId payment, long fen, TimeSpan now)
    {
        lock (sync)
        {
            underWay[payment] = (fen, now);
        }
    }

    public void Take(DateOnly on, long fen)
    {
        lock (sync)
        {
            Add(on, fen);
        }
    }

    private void Add(DateOnly on, long fen)
    {
        if (on > day)
        {
            (day, takenFen) = (on, 0);
        }

        takenFen += on == day ? fen : 0;
    }

    /// <summary>A query that is answered says nothing of payments; one that is not says that nobody is there.</summary>
    private static bool IsUnanswered(RouteLesson lesson) =>
        lesson is { Call: EffectKind.Query, Verdict: { Verdict: Verdict.Unknown, Code: "timeout" or "unreachable" } };

    private static bool Failed(RouteLesson lesson) => lesson.Verdict.Verdict is Verdict.Unknown or Verdict.Rerouteable;
}

/// <summary>What operators watch about routing.</summary>
internal static class RoutingMetrics
{
    private static readonly Meter Meter = new("DeviceHub.Core");

    public static readonly Counter<long> Payments = Meter.CreateCounter<long>("routing.payments", description: "Payments sent to an account, by what their first answer proved");
    public static readonly UpDownCounter<long> CircuitsOpen = Meter.CreateUpDownCounter<long>("routing.circuits_open", description: "1 while an account's circuit is open or half open");
}

/// <summary>Registration of routing in a silo's host.</summary>
public static class RoutingRegistration
{
    public static IServiceCollection AddRouting(this IServiceCollection services)
    {
        services.AddOptionsSection<RoutingOptions>(RoutingOptions.Section);
        services.AddSingleton<IValidateOptions<RoutingOptions>, RoutingOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<WalletTable>();
        services.AddSingleton<ChannelAccountBook>();
        services.AddSingleton<IChannelAccounts>(provider => provider.GetRequiredService<ChannelAccountBook>());
        services.AddSingleton<RoutingCore>();
        services.AddSingleton<IRoutingCore>(provider => provider.GetRequiredService<RoutingCore>());
        services.AddSingleton<IProblemSource, CircuitProblems>();
        return services;
    }
}
