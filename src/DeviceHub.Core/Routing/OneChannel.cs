using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Routing;

/// <summary>Every merchant's payments go to the one channel of <c>Payments:Channel</c>, with an account of the merchant's own name.</summary>
internal sealed class OneChannel(IOptions<PaymentOptions> options) : IRoutingCore, IChannelAccounts
{
    public ChannelAccount Find(string id) => new() { Id = id, MerchantId = id, Channel = options.Value.Channel };

    public Route Choose(RouteRequest request) => request.Tried.Count == 0
        ? new(Find(request.MerchantId), "the only channel configured")
        : new(null, "there is no other channel");

    public void Learn(RouteLesson lesson)
    {
        // Nothing to choose from.
    }
}
