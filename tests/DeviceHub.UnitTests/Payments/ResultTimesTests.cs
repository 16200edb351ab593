using CsCheck;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Payments;

public sealed class ResultTimesTests
{
    [Fact]
    public void A_time_is_counted_in_the_first_step_that_holds_it()
    {
        Assert.Equal((0, 0, 1, 18, 19), (ResultTimes.StepOf(-5), ResultTimes.StepOf(50), ResultTimes.StepOf(51), ResultTimes.StepOf(60_000), ResultTimes.StepOf(long.MaxValue)));
    }

    [Fact]
    public void Quantiles_lie_in_the_step_of_the_payment_that_they_are_about()
    {
        Gen.Select(Gen.Long[0, 70_000].Array[1, 200], Gen.Double[0.01, 1]).Sample((took, share) =>
        {
            var times = Of(took);
            var exact = took.Order().ElementAt((int)Math.Ceiling(share * took.Length) - 1);
            var step = ResultTimes.StepOf(exact);
            var told = times.Quantile(share)!.Value;
            var from = step == 0 ? 0 : ResultTimes.LimitsMs[step - 1];
            var to = step == ResultTimes.LimitsMs.Length ? ResultTimes.LimitsMs[^1] : ResultTimes.LimitsMs[step];

            // The rank between two payments may be rounded either way.
            return told >= from - 1e-6 && told <= to + 1e-6;
        });
    }

    [Fact]
    public void Times_of_two_minutes_add_up_to_those_of_both()
    {
        Gen.Select(Gen.Long[0, 70_000].Array[0, 50], Gen.Long[0, 70_000].Array[0, 50]).Sample((one, other) =>
        {
            var sum = Of(one);
            sum.Add(Of(other));
            var both = Of([.. one, .. other]);
            return sum.Count == both.Count && sum.Quantile(0.5) == both.Quantile(0.5) && sum.Quantile(0.95) == both.Quantile(0.95);
        });
    }

    [Fact]
    public void Half_of_what_is_spread_over_a_step_lies_in_its_middle_and_of_nothing_there_is_no_time()
    {
        Assert.Equal(175, Of(160, 170, 180, 190).Quantile(0.5));
        Assert.Null(Of().Quantile(0.5));
        Assert.Equal(60_000, Of(90_000).Quantile(0.95));
    }

    private static ResultTimes Of(params long[] took)
    {
        var times = new ResultTimes();
        foreach (var ms in took)
        {
            times.Add(ResultTimes.StepOf(ms), 1);
        }

        return times;
    }
}
