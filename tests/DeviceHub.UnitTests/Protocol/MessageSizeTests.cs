using DeviceHub.Core.Charges;
using DeviceHub.Core.Configuration;
using DeviceHub.Core.Payments;
using DeviceHub.Gateways;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Code = DeviceHub.Core.RefusalCode;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>Every downlink fits the smallest terminal, in both encodings, sealed where it is sealed, with every text at its longest.</summary>
public sealed class MessageSizeTests
{
    private const int Smallest = 512;
    private const string SerialNumber = "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT";
    private const string RequestId = "AAECAwQFBgcI-12345678901234567890123";
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_790_000_000);
    private static readonly WireMapping.Terminal Reader = new("zh-Hans", TextEncoding.Utf8, Speaks: true);

    public static TheoryData<WireEncoding> Encodings => [WireEncoding.Protobuf, WireEncoding.Json];

    [Theory, MemberData(nameof(Encodings))]
    public void Messages_of_a_login_fit_512_bytes(WireEncoding encoding)
    {
        var hash = ByteString.CopyFrom(new byte[32]);
        Fits(encoding, new() { Challenge = new() { HubNonce = ByteString.CopyFrom(new byte[16]) } });
        Fits(encoding, new()
        {
            Offer = new() { TerminalKey = hash, MerchantName = new string('商', 21), StoreName = new string('店', 21) },
        });
        Fits(encoding, new()
        {
            Welcome = new()
            {
                HubTimeMs = long.MaxValue, SessionEpoch = 1UL << 53, RequestEpoch = RequestId[..12], HeartbeatIntervalS = 3600, ConfigurationVersion = long.MaxValue,
                ConfigurationHash = hash, HubNonce = ByteString.CopyFrom(new byte[16]), Unsettled = 20, MaxAmountFen = 100_000_000,
            },
        });
        Fits(encoding, new() { Synced = new() { Unsettled = 20 } });
    }

    [Theory, MemberData(nameof(Encodings))]
    public void The_longest_entry_of_a_configuration_fits_512_bytes(WireEncoding encoding)
    {
        foreach (var character in new[] { "x", "中", "😀", "\\\"", "<", "\\n", "é" })
        {
            var longest = Enumerable.Range(1, 200).Select(n => string.Concat(Enumerable.Repeat(character, n)))
                .Select(text => ConfigurationDocument.TryParse($"{{\"{new string('k', 48)}\":\"{text}\"}}", out _)).Last(d => d is not null)!;
            var chunk = new ConfigurationChunk { Version = long.MaxValue, Index = 255, Entries = { WireMapping.ToWire(longest.Entries[0]) } };
            Fits(encoding, new() { ConfigurationChunk = chunk });
        }

        Fits(encoding, new() { ConfigurationCommit = new() { Version = long.MaxValue, Chunks = 256, Hash = ByteString.CopyFrom(new byte[32]) } });
    }

    [Theory, MemberData(nameof(Encodings))]
    public void What_became_of_a_payment_fits_512_bytes_sealed(WireEncoding encoding)
    {
        foreach (var stage in Enum.GetValues<PaymentStage>())
        {
            foreach (var (result, reason) in Ends())
            {
                Fits(encoding, WireMapping.ToWire(View(stage, result, reason), RequestId, SerialNumber, late: true, Now, Reader), isSealed: true);
            }
        }

        var paid = View(PaymentStage.Final, PaymentResult.Approved, Core.Payments.DeclineReason.None);
        var alreadyPaid = WireMapping.ToWire(paid, RequestId[..^1] + "0", SerialNumber, late: false, Now, Reader);
        Assert.Equal($"{SerialNumber}/{RequestId}", Fits(encoding, alreadyPaid, isSealed: true).Outcome.PaidBy);
    }

    [Theory, MemberData(nameof(Encodings))]
    public void What_is_to_be_collected_fits_512_bytes_sealed(WireEncoding encoding)
    {
        var call = new CollectCall(RequestId, 100_000_000, new string('O', 32), Now.AddHours(2));
        var sent = Fits(encoding, new() { Collect = WireMapping.ToWire(call, Now) }, isSealed: true).Collect;
        Assert.Equal((RequestId, 100_000_000UL, call.OrderNumber, 3_600_000u), (sent.ChargeId, sent.AmountFen, sent.OrderNumber, sent.TimeToLiveMs));
        Fits(encoding, new() { CollectCancel = new() { ChargeId = RequestId } }, isSealed: true);
        Assert.Null(WireMapping.ToWire(call, call.ExpiresAt));
    }

    [Theory, MemberData(nameof(Encodings))]
    public void Every_refusal_fits_512_bytes_sealed(WireEncoding encoding)
    {
        foreach (var code in Enum.GetValues<Code>().Where(c => c is not (Code.None or Code.StaleSession)))
        {
            var refusal = new Core.Refusal(code, new string('d', 200), RequestId, TimeSpan.FromHours(1));
            var sent = Fits(encoding, new() { Refusal = WireMapping.ToWire(refusal, RequestId, Reader) }, isSealed: true).Refusal;
            Assert.Equal((RequestId, RequestId, 3_600_000u), (sent.RequestId, sent.OtherRequestId, sent.RetryAfterMs));
        }
    }

    /// <summary>Only what is declined has a reason.</summary>
    private static IEnumerable<(PaymentResult, Core.Payments.DeclineReason)> Ends() =>
        Enum.GetValues<PaymentResult>().Select(r => (r, Core.Payments.DeclineReason.None))
            .Concat(Enum.GetValues<Core.Payments.DeclineReason>().Select(d => (PaymentResult.Declined, d)));

    private static PaymentView View(PaymentStage stage, PaymentResult result, Core.Payments.DeclineReason reason) => new(
        new PaymentId(SerialNumber, RequestId), stage, result, int.MaxValue, 100_000_000, 100_000_000, 100_000_000, Core.Payments.Wallet.UnionPay,
        new string('9', 64), new string('*', 32), new string('商', 21), new string('O', 32), reason, Now.AddDays(-7), Now.AddDays(-7), 0);

    private static Downlink Fits(WireEncoding encoding, Downlink message, bool isSealed = false)
    {
        while (true)
        {
            var length = MessageCodec.Encode(message, encoding).Length;
            length = isSealed ? TerminalSession.SealedSize(length, encoding) : length;
            if (length <= Smallest)
            {
                return message;
            }

            Assert.True(WireMapping.Shorten(message), $"{length} bytes: {message}");
        }
    }
}
