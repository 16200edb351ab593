using System.Net.Http.Headers;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Http;

/// <summary>Why there is no answer.</summary>
public enum HttpFault
{
    None,

    /// <summary>Name, connection or TLS handshake: no byte of the request was sent.</summary>
    Unreachable,

    /// <summary>It may have been sent.</summary>
    Timeout,

    /// <summary>The connection ended, or what came is not HTTP; the request may have arrived.</summary>
    Lost,

    /// <summary>More bytes than allowed; the request has arrived.</summary>
    TooLarge,
}

/// <summary>What came back. The body is for the channel to read and for no log.</summary>
/// <param name="Status">0: no answer.</param>
public readonly record struct HttpAnswer(HttpFault Fault, int Status, ReadOnlyMemory<byte> Body, HttpResponseHeaders? Headers)
{
    /// <summary>A header's only value; null when there is none or more than one.</summary>
    public string? Header(string name) =>
        Headers is not null && Headers.NonValidated.TryGetValues(name, out var values) && values.Count == 1 ? values.ToString() : null;

    /// <summary>
    /// What the transport says by itself: no answer, or a server's fault. Null: there is an answer to read. Only a payment that was never sent is
    /// Rerouteable; everything else proves nothing.
    /// </summary>
    public ChannelVerdict? Verdict(EffectKind call) => Fault switch
    {
        HttpFault.Unreachable => new ChannelVerdict(
            call == EffectKind.Pay ? Core.Payments.Verdict.Rerouteable : Core.Payments.Verdict.Unknown, ChannelHttp.Word(Fault)),
        not HttpFault.None => new ChannelVerdict(Core.Payments.Verdict.Unknown, ChannelHttp.Word(Fault)),
        _ => Status >= 500 || Status is (>= 300 and < 400) ? new ChannelVerdict(Core.Payments.Verdict.Unknown, $"http{Status}") : null,
    };

    /// <summary>Without body and headers.</summary>
    public override string ToString() => $"{Fault} {Status}";
}

/// <param name="Answer">Its body is there when the status is not 200.</param>
/// <param name="Body">The bill itself when the status is 200; the caller disposes it.</param>
public sealed record BillAnswer(HttpAnswer Answer, Stream? Body);
