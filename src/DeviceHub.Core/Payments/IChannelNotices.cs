using DeviceHub.Core.Merchants;

namespace DeviceHub.Core.Payments;

/// <summary>A channel that calls us when something became of an order. A notice only has a payment asked about at once: a query proves.</summary>
public interface IChannelNotices
{
    /// <summary><see cref="IPaymentChannel.Name"/>.</summary>
    string Name { get; }

    /// <summary>Checks who sent it before anything of it is believed. Never throws for what was sent.</summary>
    NoticeReading Read(ChannelAccount account, NoticeRequest request);

    /// <summary>What the channel wants to hear: that it was taken, or that it should send it again.</summary>
    NoticeReply Reply(bool taken);
}

/// <param name="Headers">Names in lower case.</param>
/// <param name="Body">As it was received, bounded by the endpoint.</param>
public sealed record NoticeRequest(IReadOnlyDictionary<string, string> Headers, ReadOnlyMemory<byte> Body, DateTimeOffset ReceivedAt);

/// <summary>A notice, or why it is not believed; never both.</summary>
public sealed record NoticeReading(ChannelNotice? Notice, string? Fault);

/// <param name="RefundNumber">Null: it is about the payment.</param>
public sealed record ChannelNotice(string OrderNumber, string? RefundNumber, ChannelVerdict Verdict);

public sealed record NoticeReply(int Status, string ContentType, string Body);
