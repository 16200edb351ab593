using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using DeviceHub.Dashboard.Payments;
using DeviceHub.UnitTests.Payments;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>What a payment's page says of its money.</summary>
public sealed class PaymentPageTests
{
    [Fact]
    public void Charge_that_came_after_the_outcome_is_not_called_no_charge_until_its_money_is_back()
    {
        var story = new PaymentStory();
        story.Pay(PaymentStory.NotReached, new Route(null, "none"));
        Assert.Equal((PaymentResult.Declined, null), (story.State.Outcome!.Result, PaymentPage.ChargedAfterAll(story.State)));

        story.Notice(1, PaymentStory.Paid);
        story.Query(1, PaymentStory.Paid);
        Assert.Equal("SaysGivingBack", PaymentPage.ChargedAfterAll(story.State));

        story.UntilQuiet(e => e.Kind == EffectKind.Query ? PaymentStory.Paid : new(Verdict.RefundFailed, "CLOSED"));
        Assert.Equal((PaymentResult.Declined, "SaysNotGivenBack"), (story.State.Outcome!.Result, PaymentPage.ChargedAfterAll(story.State)));
    }

    [Fact]
    public void Charge_whose_money_is_back_needs_no_warning()
    {
        var story = new PaymentStory();
        story.Pay(PaymentStory.NotReached, new Route(null, "none"));
        story.Notice(1, PaymentStory.Paid);
        story.UntilQuiet(e => e.Kind == EffectKind.Query ? PaymentStory.Paid : new(Verdict.Refunded, "SUCCESS"));
        Assert.Equal((PaymentResult.Refunded, null), (story.State.Outcome!.Result, PaymentPage.ChargedAfterAll(story.State)));
    }
}
