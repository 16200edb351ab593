using CsCheck;
using DeviceHub.Core.Payments;
using DeviceHub.Dashboard.Payments;

namespace DeviceHub.UnitTests.Dashboard;

public sealed class TimelineScaleTests
{
    [Fact]
    public void A_quick_payment_is_drawn_true_to_time()
    {
        var scale = new TimelineScale([0, 120, 130, 820, 1000]);
        Assert.Empty(scale.Breaks);
        Assert.Equal((0, 0.12, 1), (scale.Place(0), scale.Place(120), scale.Place(1000)));
        Assert.Equal(0.5, scale.Place(500), 6);
        Assert.Equal([0, 200, 400, 600, 800, 1000], scale.Ticks(0.12));
    }

    [Fact]
    public void No_millisecond_is_written_twice_above_a_payment_of_a_few() =>
        Assert.Equal([0, 1, 2, 3], new TimelineScale([0, 0.1, 0.7, 3.2]).Ticks(0.12));

    [Fact]
    public void Ten_minutes_of_waiting_leave_the_work_beside_them_visible()
    {
        var scale = new TimelineScale([0, 100, 400, 600_400, 600_700]);
        var cut = Assert.Single(scale.Breaks);
        Assert.Equal(600_000, cut.Ms);
        Assert.InRange(cut.To - cut.From, 0.05, 0.2);
        Assert.InRange(scale.Place(400), 0.4, 0.6);
        Assert.All(scale.Ticks(0.12), at => Assert.True(at is <= 400 or >= 600_400));
    }

    [Fact]
    public void Waits_that_double_each_time_are_cut_too()
    {
        var scale = new TimelineScale([0, 150, 10_150, 11_200, 13_300, 18_400, 28_500, 58_600, 118_700, 238_800, 839_000]);
        Assert.Equal([10_000, 827_800], scale.Breaks.Select(b => b.Ms));
        Assert.True(scale.Place(150) > 0.05, "the first 150 ms are to be seen");
        Assert.InRange(scale.Breaks.Sum(b => b.To - b.From), 0.3, 0.5001);
    }

    [Fact]
    public void Nothing_but_one_wait_is_a_line()
    {
        var scale = new TimelineScale([0, 60_000]);
        Assert.Empty(scale.Breaks);
        Assert.Equal(0.25, scale.Place(15_000), 6);
        Assert.Equal(0, new TimelineScale([0]).Place(0));
    }

    [Fact]
    public void Later_is_never_before_earlier_and_all_lies_on_the_line() => Gen.Double[0, 5_000_000].Array[1, 40].Sample(moments =>
    {
        var scale = new TimelineScale(moments.Prepend(0));
        var places = moments.Order().Select(scale.Place).ToList();
        return places.SequenceEqual(places.Order()) && places.All(p => p is >= 0 and <= 1 + 1e-9) && scale.Ticks(0.1).All(t => t >= 0);
    });

    [Fact]
    public void Steps_of_a_lane_that_would_cover_each_other_lie_in_rows()
    {
        var at = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
        TimelineStep Step(int lane, double from, double? to) => new(TimelineStepKind.Queried, lane, at.AddMilliseconds(from), to is { } end ? at.AddMilliseconds(end) : null);
        var timeline = new PaymentTimeline(at, [new(), new(), new("sandbox", "A1")], [Step(0, 0, 100), Step(1, 100, 100), Step(1, 100, 100), Step(2, 100, 900), Step(1, 900, 900), Step(2, 950, null)]);
        var layout = new TimelineLayout(timeline, at.AddMilliseconds(1000), 0.03);

        Assert.Equal([1, 2, 1], layout.Lanes.Select(l => l.Rows));
        Assert.Equal([0, 1, 0], layout.Lanes[1].Steps.Select(s => s.Row));
        Assert.Equal([2, 3, 5], layout.Lanes[1].Steps.Select(s => s.Number));
        Assert.Equal(1, layout.Lanes[2].Steps[^1].To, 6);
    }
}
