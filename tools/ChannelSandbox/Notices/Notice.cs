using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Notices;

/// <summary>What a merchant is told, ready to be posted.</summary>
internal sealed record Notice(string ContentType, byte[] Body, params (string Name, string Value)[] Headers);

/// <param name="Order">Of which it tells.</param>
/// <param name="Refund">Null: it tells of the payment.</param>
/// <param name="Forged">Signed by a key that is not the channel's.</param>
/// <param name="MoreFen">Added to what is told.</param>
internal readonly record struct Told(Order Order, Refund? Refund, bool Forged, int MoreFen);

/// <summary>How a channel tells its merchants.</summary>
internal interface INoticeWriter
{
    bool Tells(Order order, Refund? refund);

    /// <summary>Signed at the moment of sending.</summary>
    Notice Write(Told told);

    /// <summary>Whether the merchant has taken it; if not, it is sent again.</summary>
    bool IsTaken(int status, string body);

    /// <summary>Between one try and the next.</summary>
    IReadOnlyList<TimeSpan> Waits { get; }
}
