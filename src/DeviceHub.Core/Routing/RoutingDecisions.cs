using System.Globalization;
using System.Text;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Routing;

/// <summary>One of the merchant's accounts with all that the choice looks at.</summary>
public readonly record struct AccountStanding(ChannelAccount Account, CircuitView Circuit, long TodayFen);

/// <param name="Why">At most <see cref="RoutingDecisions.MaxWhy"/> characters.</param>
/// <param name="PassedOver">The other accounts, each with the reason.</param>
public sealed record RouteDecision(ChannelAccount? Account, string Why, IReadOnlyList<PassedOver> PassedOver);

public sealed record PassedOver(ChannelAccount Account, string Why);

/// <summary>
/// The choice of an account, pure. Of the accounts that may take the payment those with a closed circuit (or one that is due to be tried)
/// come first; then the lowest priority number; among equals a draw by weight, in which, of accounts of one weight, only the cheapest takes part. When
/// all circuits are open a payment is still possible: the account with the smallest share of failed calls tries it, then the one whose
/// circuit opens soonest, then by priority.
/// </summary>
public static class RoutingDecisions
{
    public const int MaxWhy = 500;

    /// <param name="number">Draws among equals: the same number draws the same account.</param>
    public static RouteDecision Decide(RouteRequest request, IReadOnlyList<AccountStanding> accounts, ulong number)
    {
        var passed = new List<PassedOver>(accounts.Count);
        var able = new List<AccountStanding>(accounts.Count);
        foreach (var standing in accounts)
        {
            if (Unable(request, standing) is { } reason)
            {
                passed.Add(new(standing.Account, reason));
            }
            else
            {
                able.Add(standing);
            }
        }

        if (able.Count == 0)
        {
            return new(null, Tell("no account can take it", passed), passed);
        }

        var healthy = able.Where(a => a.Circuit.Takes).ToList();
        if (healthy.Count == 0)
        {
            var (account, circuit, _) = able.OrderBy(FailedShare).ThenBy(a => a.Circuit.OpenFor).ThenBy(a => a.Account.Terms.Priority).First();
            PassOver(able, account, a => Says(a.Circuit));
            return new(account, Tell($"{Name(account)}: every circuit is open, and this is the least bad ({Says(circuit)}), so the payment tries it", passed), passed);
        }

        var best = healthy.Min(a => a.Account.Terms.Priority);
        var equals = healthy.Where(a => a.Account.Terms.Priority == best).ToList();
        var drawn = equals.Where(a => !equals.Any(o => o.Account.Terms.Weight == a.Account.Terms.Weight && o.Account.Terms.FeeBasisPoints < a.Account.Terms.FeeBasisPoints)).ToList();
        var (chosen, health, _) = Draw(drawn, number);
        PassOver(able, chosen, a => !a.Circuit.Takes ? Says(a.Circuit)
            : a.Account.Terms.Priority > best ? $"priority {Text(a.Account.Terms.Priority)}"
            : drawn.Exists(d => d.Account.Id == a.Account.Id) ? $"weight {Text(a.Account.Terms.Weight)}, not drawn"
            : $"the same weight for a higher fee ({Percent(a.Account.Terms.FeeBasisPoints)})");
        return new(chosen, Tell($"{Name(chosen)}: priority {Text(best)}, {Says(health)}{Share(chosen, drawn)}", passed), passed);

        void PassOver(List<AccountStanding> others, ChannelAccount than, Func<AccountStanding, string> reason) =>
            passed.AddRange(others.Where(a => a.Account.Id != than.Id).Select(a => new PassedOver(a.Account, reason(a))));
    }

    /// <summary>A number that is the same for the same request, and differs with everything in it.</summary>
    public static ulong Number(RouteRequest request)
    {
        var hash = 14695981039346656037;
        foreach (var c in request.MerchantId)
        {
            Mix(c);
        }

        foreach (var c in request.StoreId)
        {
            Mix(c);
        }

        Mix((ulong)request.AmountFen);
        Mix((ulong)request.At.UtcTicks);
        Mix((ulong)request.Tried.Count);

        // The low bits of such a product alternate; the draw takes a remainder.
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        return hash ^ (hash >> 33);

        void Mix(ulong part) => hash = (hash ^ part) * 1099511628211;
    }

    private static string? Unable(RouteRequest request, AccountStanding standing)
    {
        var terms = standing.Account.Terms;
        return terms switch
        {
            _ when request.Tried.Contains(standing.Account.Id) => "tried already",
            { Enabled: false } => "disabled",
            _ when !terms.Wallets.Contains(request.Wallet) => $"takes no {request.Wallet}",
            _ when request.AmountFen < terms.MinAmountFen => $"takes no less than {Yuan(terms.MinAmountFen)}",
            _ when request.AmountFen > terms.MaxAmountFen => $"takes no more than {Yuan(terms.MaxAmountFen.Value)}",
            _ when standing.TodayFen >= terms.DayLimitFen => $"day limit of {Yuan(terms.DayLimitFen.Value)} reached",
            _ when standing.TodayFen + request.AmountFen > terms.DayLimitFen => $"only {Yuan(terms.DayLimitFen.Value - standing.TodayFen)} are left of the day limit",
            { Schedule: { } schedule } when !schedule.IsOpen(request.At) => "closed at this hour",
            _ => null,
        };
    }

    private static AccountStanding Draw(List<AccountStanding> among, ulong number)
    {
        var left = (long)(number % (ulong)among.Sum(a => (long)a.Account.Terms.Weight));
        foreach (var standing in among)
        {
            left -= standing.Account.Terms.Weight;
            if (left < 0)
            {
                return standing;
            }
        }

        return among[^1];
    }

    private static double FailedShare(AccountStanding a) => a.Circuit.Calls == 0 ? 0 : (double)a.Circuit.Failed / a.Circuit.Calls;

    private static string Says(CircuitView circuit) => circuit switch
    {
        { Circuit: Circuit.Closed, Failed: 0 } => "healthy",
        { Circuit: Circuit.Closed } => $"healthy ({Text(circuit.Failed)} of {Text(circuit.Calls)} calls failed)",
        { Circuit: Circuit.HalfOpen, Probing: false } => "tried again after its circuit was open",
        { Circuit: Circuit.HalfOpen } => "another payment tries it now",
        _ => $"circuit open for {Text((long)Math.Ceiling(circuit.OpenFor.TotalSeconds))} s more after {Text(circuit.Failed)} of {Text(circuit.Calls)} calls failed"
            + (circuit.Slow > 0 ? $" and {Text(circuit.Slow)} were slow" : ""),
    };

    private static string Share(ChannelAccount chosen, List<AccountStanding> drawn) =>
        drawn.Count == 1 ? "" : $", drawn with weight {Text(chosen.Terms.Weight)} of {Text(drawn.Sum(a => (long)a.Account.Terms.Weight))}";

    private static string Tell(string what, List<PassedOver> passed)
    {
        var why = new StringBuilder(what);
        for (var i = 0; i < passed.Count && why.Length <= MaxWhy; i++)
        {
            why.Append(i == 0 ? "; passed over: " : ", ").Append(Name(passed[i].Account)).Append(" (").Append(passed[i].Why).Append(')');
        }

        return why.Length <= MaxWhy ? why.ToString() : why.ToString(0, MaxWhy - 1) + "…";
    }

    private static string Name(ChannelAccount account) => account.Terms.Name.Length > 0 ? $"\"{account.Terms.Name}\"" : account.Id;

    private static string Yuan(long fen) => (fen / 100m).ToString("0.00", CultureInfo.InvariantCulture) + " yuan";

    private static string Percent(int basisPoints) => (basisPoints / 100m).ToString("0.##", CultureInfo.InvariantCulture) + " %";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
