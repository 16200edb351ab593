using System.Collections.Concurrent;

namespace DeviceHub.SimulationTests;

/// <summary>
/// Payments with everything against them, in virtual time: 10,000 seeds in 8 s of processor time. <c>SIMULATION_SEEDS=1000000</c> runs
/// more of them, from <c>SIMULATION_FROM</c>; <c>SIMULATION_SEED=4711</c> runs that one and prints its trace. That it finds faults was
/// tried: src/README.md, "What the simulation finds".
/// </summary>
public sealed class PaymentSimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_payment_comes_to_rest_and_the_bank_agrees_with_the_ledger_whatever_breaks()
    {
        if (Number("SIMULATION_SEED") is { } one)
        {
            var (seenOfOne, fault) = PaymentSimulation.Run(one, traced: true);
            output.WriteLine($"seed {one}: {string.Join(", ", seenOfOne)}\n{fault}");
            Assert.True(fault is null, fault);
            return;
        }

        var from = Number("SIMULATION_FROM") ?? 1;
        var faults = new ConcurrentQueue<string>();
        var seen = new ConcurrentDictionary<string, int>();
        Parallel.For(from, from + (Number("SIMULATION_SEEDS") ?? 10_000), (seed, loop) =>
        {
            var (seenOfOne, fault) = PaymentSimulation.Run(seed);
            foreach (var what in seenOfOne)
            {
                seen.AddOrUpdate(what, 1, (_, n) => n + 1);
            }

            if (fault is not null)
            {
                faults.Enqueue(fault);
                loop.Stop();
            }
        });

        output.WriteLine(string.Join('\n', seen.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Value,7}  {s.Key}")));
        Assert.True(faults.IsEmpty, faults.FirstOrDefault());

        // A simulation in which these never happened would prove nothing.
        Assert.All(
            ["Arrives -> Approved", "ReplyLost -> Approved", "ArrivesLate -> NotCharged", "NeverArrives -> NotCharged", "ChargesAfterSettled -> Refunded", "Refused -> Declined", "SwearsAndCharges -> Refunded", "SwearsAndCharges -> Approved", "Rerouteable -> Declined",
                "approved on another account", "approved by an older attempt", "approved, and another attempt's charge refunded", "refunded in parts by people",
                "refunded whole by people", "refund refused", "noticed"],
            must => Assert.True(seen.ContainsKey(must), $"no seed came to '{must}'"));
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : null;
}
