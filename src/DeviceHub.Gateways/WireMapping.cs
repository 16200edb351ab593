using System.Text;
using System.Text.RegularExpressions;
using DeviceHub.Core;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Configuration;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways.Texts;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Domain = DeviceHub.Core.Payments;
using Wire = DeviceHub.Protocol.Wire;

namespace DeviceHub.Gateways;

/// <summary>The one place where wire messages become domain records and back. Decoding has checked shapes and ranges before.</summary>
internal static partial class WireMapping
{
    /// <summary>Recorded clips that a terminal may have; firmware-protocol/README.md, "Clips".</summary>
    private static class Clip
    {
        public const uint Approved = 1;
        public const uint Declined = 2;
        public const uint InDoubt = 3;
        public const uint NotCharged = 4;
        public const uint Refunded = 5;
    }

    public static Domain.PaymentRequest ToDomain(Wire.PaymentRequest request) => new(
        request.RequestId,
        (long)request.AmountFen,
        request.Currency.Length == 0 ? "CNY" : request.Currency,
        new PaymentCode(request.PaymentCode),
        request.OrderNumber.Length == 0 ? null : request.OrderNumber,
        TimeSpan.FromMilliseconds(request.AgeMs),
        TimeSpan.FromMilliseconds(request.TimeToLiveMs),
        request.RepeatOf.Length == 0 ? null : request.RepeatOf,
        request.RepeatConfirmed,
        request.ChargeId.Length == 0 ? null : request.ChargeId);

    /// <summary>Null: its time is over.</summary>
    public static Collect? ToWire(CollectCall call, DateTimeOffset now)
    {
        var left = Math.Min((call.ExpiresAt - now).TotalMilliseconds, 3_600_000);
        return left < 1 ? null : new Collect
        {
            ChargeId = call.ChargeId,
            AmountFen = (ulong)call.AmountFen,
            OrderNumber = call.OrderNumber,
            SentTimeMs = (ulong)now.ToUnixTimeMilliseconds(),
            TimeToLiveMs = (uint)left,
        };
    }

    public static ChargeEnd ToDomain(CollectEnded.Types.Reason reason) => reason switch
    {
        CollectEnded.Types.Reason.Expired => ChargeEnd.Expired,
        CollectEnded.Types.Reason.Busy => ChargeEnd.TerminalBusy,
        _ => ChargeEnd.CancelledAtTerminal,
    };

    public static HeartbeatReport ToDomain(Heartbeat beat) => new(
        beat.Firmware, Saturate(beat.ConfigurationVersion), Encoding.UTF8.GetString(MessageCodec.Encode(beat, WireEncoding.Json)), Figures(beat));

    private static HeartbeatFigures Figures(Heartbeat beat)
    {
        var reconnects = 0;
        foreach (var cause in beat.Reconnects)
        {
            reconnects += (int)cause.Count;
        }

        var times = beat.ConnectTimes;
        return new(
            beat.UptimeS == 0 ? null : Saturate(beat.UptimeS),
            beat.SignalDbm == 0 ? null : beat.SignalDbm,
            beat.Power is PowerSource.Battery or PowerSource.Charging ? (int)beat.BatteryPercent : null,
            reconnects,
            Known(times?.AttachMs),
            Known(times?.DnsMs),
            Known(times?.TlsMs),
            Known(times?.LoginMs),
            (int)Math.Min(beat.Unsettled, int.MaxValue));

        static int? Known(uint? ms) => ms is null or 0 ? null : (int)Math.Min(ms.Value, int.MaxValue);
    }

    public static Core.Terminals.ConfigurationReport ToDomain(Wire.ConfigurationReport report, DateTimeOffset at) => new(
        Saturate(report.Version),
        report.Hash.ToByteArray(),
        (ConfigurationResult)(int)report.Result,
        report.Detail.Length == 0 ? null : report.Detail,
        at);

    public static Wire.ConfigurationEntry ToWire(in Core.Configuration.ConfigurationEntry entry) => entry.Type switch
    {
        'f' => new() { Key = entry.Key, Flag = entry.Flag },
        'n' => new() { Key = entry.Key, Number = entry.Number },
        _ => new() { Key = entry.Key, Text = entry.Text },
    };

    /// <summary>How a payment stands, as its terminal is told: accepted, in doubt, or the outcome.</summary>
    /// <param name="requestId">Of the request that is answered; with "already paid" the view is another payment's.</param>
    public static Downlink ToWire(PaymentView view, string requestId, string serialNumber, bool late, DateTimeOffset now, Terminal terminal)
    {
        switch (view.Stage)
        {
            case PaymentStage.Final:
                return new Downlink { Outcome = ToOutcome(view, requestId, serialNumber, late, now, terminal) };
            case PaymentStage.InDoubt:
                return new Downlink
                {
                    InDoubt = new() { RequestId = requestId, AmountFen = (ulong)view.AmountFen, Text = terminal.Text("in_doubt") },
                };
            default:
                return new Downlink { Accepted = new() { RequestId = requestId, State = ToState(view.Stage) } };
        }
    }

    public static Wire.Refusal ToWire(Core.Refusal refusal, string? requestId, Terminal terminal)
    {
        var id = "refusal_" + NewWord().Replace(refusal.Code.ToString(), "_$0").ToLowerInvariant();
        return new Wire.Refusal
        {
            // Both enums have the same numbers; a test holds them together. StaleSession is never sent.
            Code = (Wire.Refusal.Types.Code)(int)refusal.Code,
            RequestId = requestId ?? "",
            Text = terminal.Text(id),
            Detail = Ascii(refusal.Detail, 120),
            RetryAfterMs = (uint)Math.Clamp(refusal.RetryAfter.TotalMilliseconds, 0, 3_600_000),
            OtherRequestId = refusal.OtherRequestId ?? "",
        };
    }

    /// <summary>How this terminal wants to be told.</summary>
    internal readonly record struct Terminal(string Language, TextEncoding Encoding, bool Speaks)
    {
        public Text Text(string id, params ReadOnlySpan<string> arguments) => CashierTexts.For(Language, Encoding).Make(id, Encoding, arguments);

        public Speech? Speech(uint clip, string id, params ReadOnlySpan<string> arguments)
        {
            var speech = Speaks ? new Speech { Text = CashierTexts.For(Language, Encoding).Say(id, Encoding, arguments) } : null;
            speech?.Clips.Add(clip);
            return speech;
        }
    }

    /// <summary>
    /// Takes one thing that the terminal can do without out of a message that is too large for it. False: nothing is left to take.
    /// </summary>
    public static bool Shorten(Downlink message)
    {
        switch (message.BodyCase)
        {
            case Downlink.BodyOneofCase.Outcome:
                return Shorten(message.Outcome);
            case Downlink.BodyOneofCase.InDoubt:
                return Shorten(message.InDoubt.Text);
            case Downlink.BodyOneofCase.Refusal when Shorten(message.Refusal.Text):
                return true;
            case Downlink.BodyOneofCase.Refusal when message.Refusal.Detail.Length > 0:
                message.Refusal.Detail = "";
                return true;
            case Downlink.BodyOneofCase.Offer when message.Offer.StoreName.Length + message.Offer.MerchantName.Length > 0:
                message.Offer.StoreName = "";
                message.Offer.MerchantName = message.Offer.MerchantName.Length > 16 ? message.Offer.MerchantName[..16] : "";
                return true;
            default:
                return false;
        }
    }

    /// <summary>Text of at most so many bytes of UTF-8, cut at a whole character.</summary>
    public static string Cut(string? text, int maxBytes)
    {
        text ??= "";
        while (Encoding.UTF8.GetByteCount(text) > maxBytes)
        {
            text = text[..^(text.Length > 1 && char.IsLowSurrogate(text[^1]) ? 2 : 1)];
        }

        return text;
    }

    /// <summary>In the order of README.md, "Messages of 512 bytes"; what became of the payment always fits.</summary>
    private static bool Shorten(Outcome outcome)
    {
        if (outcome.Speech is { Text.Length: > 0 } speech)
        {
            speech.Text = ByteString.Empty;
        }
        else if (Shorten(outcome.Text))
        {
            return true;
        }
        else if (outcome.MerchantName.Length > 0)
        {
            outcome.MerchantName = "";
        }
        else if (outcome.Payer.Length > 0)
        {
            outcome.Payer = "";
        }
        else if (outcome.SentTimeMs != 0)
        {
            outcome.SentTimeMs = 0;
            outcome.AgeMs = 0;
        }
        else if (outcome.Text is not null || outcome.Speech is not null)
        {
            outcome.Text = null;
            outcome.Speech = null;
        }
        else if (outcome.OrderNumber.Length > 0)
        {
            outcome.OrderNumber = "";
        }
        else if (outcome.ChannelTransaction.Length > 0 || outcome.Wallet != Wire.Wallet.Unspecified)
        {
            outcome.ChannelTransaction = "";
            outcome.Wallet = Wire.Wallet.Unspecified;
        }
        else
        {
            return false;
        }

        return true;
    }

    private static bool Shorten(Text? text)
    {
        if (text is not { Text_.Length: > 0 })
        {
            return false;
        }

        // The terminal has its own text for the id.
        text.Text_ = ByteString.Empty;
        return true;
    }

    private static Outcome ToOutcome(PaymentView view, string requestId, string serialNumber, bool late, DateTimeOffset now, Terminal terminal)
    {
        var finalAt = view.FinalAt ?? now;
        var another = view.Id.RequestId != requestId || view.Id.SerialNumber != serialNumber;
        var amount = CashierTexts.Amount(view.AmountFen);
        var (clip, text) = view.Result switch
        {
            PaymentResult.Approved => (Clip.Approved, "approved"),
            PaymentResult.Declined => (Clip.Declined, DeclineText(view.Reason)),
            PaymentResult.Refunded => (Clip.Refunded, "refunded"),
            _ => (Clip.NotCharged, "not_charged"),
        };
        var outcome = new Outcome
        {
            RequestId = requestId,
            Result = (Outcome.Types.Result)(int)view.Result,
            Revision = (uint)view.Revision,
            AmountFen = (ulong)view.AmountFen,
            PaidFen = (ulong)view.PaidFen,
            DiscountFen = (ulong)view.DiscountFen,
            Wallet = (Wire.Wallet)(int)view.Wallet,
            ChannelTransaction = Cut(view.ChannelTransaction, 64),
            Payer = Cut(view.Payer, 32),
            MerchantName = Cut(view.MerchantName, 64),
            OrderNumber = view.OrderNumber ?? "",
            HubTimeMs = (ulong)finalAt.ToUnixTimeMilliseconds(),
            SentTimeMs = (ulong)now.ToUnixTimeMilliseconds(),
            AgeMs = (uint)Math.Clamp((now - finalAt).TotalMilliseconds, 0, uint.MaxValue),
            Late = late,
            Text = another ? terminal.Text("already_paid") : view.Result == PaymentResult.Approved ? terminal.Text(text, amount) : terminal.Text(text),
            Reason = (Wire.DeclineReason)(int)view.Reason,
            PaidBy = another ? view.Id.ToString() : "",
        };
        if (!late && !another && terminal.Speech(clip, text, amount) is { } speech)
        {
            outcome.Speech = speech;
        }

        return outcome;
    }

    private static string DeclineText(Domain.DeclineReason reason) => reason switch
    {
        Domain.DeclineReason.InsufficientFunds => "declined_insufficient_funds",
        Domain.DeclineReason.CodeExpired => "declined_code_expired",
        Domain.DeclineReason.CodeInvalid => "declined_code_invalid",
        Domain.DeclineReason.CustomerRefused => "declined_customer_refused",
        Domain.DeclineReason.Limit => "declined_limit",
        Domain.DeclineReason.ChannelUnavailable => "declined_channel_unavailable",
        Domain.DeclineReason.Expired => "declined_expired",
        _ => "declined_other",
    };

    private static Accepted.Types.State ToState(PaymentStage stage) => stage switch
    {
        PaymentStage.AwaitingCustomer => Accepted.Types.State.WaitingForCustomer,
        PaymentStage.Cancelling => Accepted.Types.State.Cancelling,
        _ => Accepted.Types.State.Working,
    };

    private static long Saturate(ulong value) => value > long.MaxValue ? long.MaxValue : (long)value;

    private static string Ascii(string text, int max) => string.Create(Math.Min(text.Length, max), text, static (span, t) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            span[i] = t[i] is >= ' ' and <= '~' ? t[i] : '?';
        }
    });

    [GeneratedRegex("(?<=[a-z])[A-Z]")]
    private static partial Regex NewWord();
}
