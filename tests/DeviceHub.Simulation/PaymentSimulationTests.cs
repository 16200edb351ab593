namespace DeviceHub.Simulation;

/// <summary>
/// Payments with everything against them, in virtual time. <c>dotnet run -c Release --project tests/DeviceHub.Simulation -- --seeds
/// 1000000</c> runs more seeds, <c>--seed 4711</c> tells the story of one.
/// </summary>
public sealed class PaymentSimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_payment_comes_to_rest_and_the_three_books_agree_whatever_breaks()
    {
        var end = SimulationRun.Run(from: 1, count: 10_000);

        output.WriteLine($"{end.Seeds} seeds in {end.Took}\n{string.Join('\n', end.Seen.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Value,7}  {s.Key}"))}");
        Assert.True(end.Failed is null, $"seed {end.Failed?.Seed}: {end.Failed?.Fault}\n{end.Failed?.Story}");

        // A simulation in which these never happened would prove nothing.
        Assert.All(
            ["Arrives -> Approved", "ReplyLost -> Approved", "ArrivesLate -> NotCharged", "NeverArrives -> NotCharged", "ChargesAfterSettled -> Refunded", "Refused -> Declined",
                "SwearsAndCharges -> Refunded", "SwearsAndCharges -> Approved", "Rerouteable -> Declined", "approved on another account", "approved by an older attempt",
                "approved, and another attempt's charge refunded", "refunded in parts by people", "refunded whole by people", "refund refused", "noticed", "refused",
                "charge Paid", "charge Declined", "charge NotCharged", "charge Refunded", "charge Cancelled", "charge CancelledAtTerminal", "charge Expired", "charge Unreachable",
                "an order tried again after a payment of it had failed", "scanned again, and a person said that it is no repeat"],
            must => Assert.True(end.Seen.ContainsKey(must), $"no seed came to '{must}'"));
    }

    [Fact]
    public void Seed_has_the_same_story_each_time()
    {
        var options = new Core.Payments.PaymentOptions();

        Assert.Equal(PaymentSimulation.Run(4711, options, traced: true).Story, PaymentSimulation.Run(4711, options, traced: true).Story);
    }
}
