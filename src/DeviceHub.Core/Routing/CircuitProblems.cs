using DeviceHub.Core.Merchants;
using DeviceHub.Core.Problems;

namespace DeviceHub.Core.Routing;

/// <summary>Accounts whose circuit is open or half open.</summary>
internal sealed class CircuitProblems(RoutingCore routing, ChannelAccountBook accounts, TimeProvider clock) : IProblemSource
{
    public ValueTask<IReadOnlyList<Problem>> Newest(int limit)
    {
        var now = clock.GetUtcNow();
        return new([.. routing.NotClosed().Select(accounts.Known).OfType<ChannelAccount>().Take(limit)
            .Select(a => new Problem(ProblemKind.CircuitOpen, null, Serious: true, a.Terms.Name, Calls(routing.Standing(a, now).Circuit), Id: a.Id))]);
    }

    private static string Calls(CircuitView circuit) => $"{circuit.Failed}/{circuit.Calls}";
}
