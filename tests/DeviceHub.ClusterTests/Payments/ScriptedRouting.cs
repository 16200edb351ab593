using System.Collections.Concurrent;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Routing;

namespace DeviceHub.ClusterTests.Payments;

/// <summary>Accounts in the order in which they are tried.</summary>
internal sealed class ScriptedRouting : IRoutingCore, IChannelAccounts
{
    public List<string> Accounts { get; } = ["M1"];

    public ConcurrentQueue<RouteLesson> Lessons { get; } = new();

    /// <summary>Thrown by the next choice.</summary>
    public Exception? Fault { get; set; }

    public ChannelAccount Find(string id) => new() { Id = id, MerchantId = "M1", Channel = "sandbox" };

    public Route Choose(RouteRequest request)
    {
        if (Fault is { } fault)
        {
            Fault = null;
            throw fault;
        }

        return Accounts.Except(request.Tried).FirstOrDefault() is { } next ? new(Find(next), $"{next} is the first of those left") : new(null, "no account is left");
    }

    public void Learn(RouteLesson lesson) => Lessons.Enqueue(lesson);
}
