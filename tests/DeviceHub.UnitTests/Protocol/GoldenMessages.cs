using System.Text;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>One good message of each kind, and more where a kind has faces.</summary>
internal static class GoldenMessages
{
    private const string Request = "AAECAwQFBgcI-1";
    private const string Charge = "c0123456789abcdef";

    public static ConfigurationEntry[] Entries { get; } =
    [
        new() { Key = "sound.volume", Number = 7 },
        new() { Key = "sound.on", Flag = true },
        new() { Key = "screen.idle_text", Text = "Welcome" },
    ];

    public static IEnumerable<(string Name, Uplink Message)> Up() =>
    [
        ("hello", new() { Hello = Hello() }),
        ("proof", new() { Proof = new() { Mac = Bytes(32, 0x10) } }),
        ("activate", new() { Activate = new() { ActivationCode = "ABCD-EFGH-JKMN" } }),
        ("heartbeat", new() { Heartbeat = Heartbeat() }),
        ("heartbeat_of_an_idle_terminal", new()
        {
            Heartbeat = new()
            {
                UptimeS = 1_000_000, Firmware = "1.4.2", ConfigurationVersion = 3, SignalDbm = -71, BatteryPercent = 80, Power = PowerSource.Mains,
                ResetReason = BootReason.PowerOn,
            },
        }),
        ("heartbeat_of_a_terminal_that_knows_little", new() { Heartbeat = new() { UptimeS = 60 } }),
        ("configuration_report", new()
        {
            ConfigurationReport = new() { Version = 3, Hash = Bytes(32, 0x20), Result = ConfigurationReport.Types.Result.Applied },
        }),
        ("configuration_report_refused", new()
        {
            ConfigurationReport = new() { Version = 4, Hash = Bytes(32, 0x20), Result = ConfigurationReport.Types.Result.Refused, Detail = "sound.volume: 0 to 9" },
        }),
        ("payment_request", new() { PaymentRequest = Payment() }),
        ("payment_request_repeat_confirmed", new() { PaymentRequest = Confirmed() }),
        ("payment_query", new() { PaymentQuery = new() { RequestId = Request } }),
        ("payment_cancel", new() { PaymentCancel = new() { RequestId = Request } }),
        ("outcome_shown", new() { OutcomeShown = new() { RequestId = Request, Revision = 1 } }),
        ("payment_request_for_a_charge", new() { PaymentRequest = Charged() }),
        ("collecting", new() { Collecting = new() { ChargeId = Charge } }),
        ("collect_ended", new() { CollectEnded = new() { ChargeId = Charge, Reason = CollectEnded.Types.Reason.Cancelled } }),
        ("sealed_up", new() { Sealed = Sealed(new Uplink { PaymentQuery = new() { RequestId = Request } }, SealDirection.Up) }),
    ];

    public static IEnumerable<(string Name, Downlink Message)> Down() =>
    [
        ("challenge", new() { Challenge = new() { HubNonce = ByteString.CopyFrom(Vectors.HubNonce) } }),
        ("offer", new() { Offer = new() { TerminalKey = ByteString.CopyFrom(Vectors.Key), MerchantName = "Corner Shop", StoreName = "东门店" } }),
        ("welcome", new() { Welcome = Welcome() }),
        ("welcome_by_token", new() { Welcome = WelcomeByToken() }),
        ("synced", new() { Synced = new() { Unsettled = 1 } }),
        ("configuration_chunk", new() { ConfigurationChunk = new() { Version = 3, Index = 0, Entries = { Entries } } }),
        ("configuration_commit", new() { ConfigurationCommit = new() { Version = 3, Chunks = 1, Hash = Bytes(32, 0x20) } }),
        ("accepted", new() { Accepted = new() { RequestId = Request, State = Accepted.Types.State.Working } }),
        ("accepted_waiting", new() { Accepted = new() { RequestId = Request, State = Accepted.Types.State.WaitingForCustomer } }),
        ("accepted_cancelling", new() { Accepted = new() { RequestId = Request, State = Accepted.Types.State.Cancelling } }),
        ("in_doubt", new() { InDoubt = new() { RequestId = Request, AmountFen = 1250, Text = new() { Id = "in_doubt" } } }),
        ("outcome_approved", new() { Outcome = Approved() }),
        ("outcome_declined", new() { Outcome = Declined() }),
        ("outcome_not_charged", new() { Outcome = Ended(Outcome.Types.Result.NotCharged, "not_charged", 1) }),
        ("outcome_refunded_late", new() { Outcome = Ended(Outcome.Types.Result.Refunded, "refunded", 2) }),
        ("outcome_already_paid", new() { Outcome = AlreadyPaid() }),
        ("refusal", new()
        {
            Refusal = new() { Code = Refusal.Types.Code.PossibleDuplicate, RequestId = "AAECAwQFBgcI-2", OtherRequestId = Request },
        }),
        ("refusal_to_be_repeated", new()
        {
            Refusal = new()
            {
                Code = Refusal.Types.Code.Storage, RequestId = Request, RetryAfterMs = 3000, Detail = "the ledger cannot take payments now; nothing was charged",
                Text = new() { Id = "refusal_storage", Text_ = ByteString.CopyFrom("暂时无法收款，未扣款", Encoding.UTF8) },
            },
        }),
        ("refusal_charge_closed", new()
        {
            Refusal = new() { Code = Refusal.Types.Code.ChargeClosed, RequestId = "AAECAwQFBgcI-5", Text = new() { Id = "refusal_charge_closed" } },
        }),
        ("collect", new()
        {
            Collect = new() { ChargeId = Charge, AmountFen = 1250, OrderNumber = "A-1002", SentTimeMs = 1_790_000_000_123, TimeToLiveMs = 120_000 },
        }),
        ("collect_cancel", new() { CollectCancel = new() { ChargeId = Charge } }),
        ("sealed_down", new()
        {
            Sealed = Sealed(new Downlink { Accepted = new() { RequestId = Request, State = Accepted.Types.State.Working } }, SealDirection.Down),
        }),
    ];

    private static Sealed Sealed(IMessage inner, SealDirection direction) => new Sealer(Vectors.SessionKey, direction).Seal(inner.ToByteString());

    private static Hello Hello() => new()
    {
        ProtocolVersion = 1,
        HardwareId = Vectors.HardwareId,
        BootReason = BootReason.PowerOn,
        Firmware = "1.4.2",
        MaxMessageBytes = 512,
        TextEncoding = TextEncoding.Utf8,
        TextColumns = 16,
        Capabilities = { "screen", "buzzer" },
        OpenRequestIds = { Request },
        TerminalNonce = ByteString.CopyFrom(Vectors.TerminalNonce),
        Model = "S1",
    };

    private static Heartbeat Heartbeat() => new()
    {
        UptimeS = 86_400,
        Firmware = "1.4.2",
        ConfigurationVersion = 3,
        SignalDbm = -71,
        BatteryPercent = 80,
        Power = PowerSource.Mains,
        ResetReason = BootReason.PowerOn,
        Reconnects = { new ReconnectCause { Cause = ReconnectCause.Types.Cause.KeepAlive, Count = 2 } },
        Modem = new() { Imei = Vectors.HardwareId, Iccid = "89860012345678901234", SimSlot = 1, Bearer = Modem.Types.Bearer.Lte },
        Place = new()
        {
            Cell = new() { Mcc = 460, Mnc = 0, Area = 4301, CellId = 20_986_369 },
            Ip = "10.64.3.7",
            Gps = new() { LatitudeE7 = 312_304_000, LongitudeE7 = 1_214_737_000, AccuracyM = 12 },
        },
        ConnectTimes = new() { AttachMs = 2100, DnsMs = 45, TlsMs = 480, LoginMs = 190 },
    };

    private static PaymentRequest Payment() => new()
    {
        RequestId = Request,
        AmountFen = 1250,
        Currency = "CNY",
        PaymentCode = "130000000000001250",
        AgeMs = 180,
        TimeToLiveMs = 30_000,
    };

    private static PaymentRequest Confirmed()
    {
        var request = Payment();
        request.RequestId = "AAECAwQFBgcI-2";
        request.OrderNumber = "A-1001";
        request.RepeatOf = Request;
        request.RepeatConfirmed = true;
        return request;
    }

    private static PaymentRequest Charged()
    {
        var request = Payment();
        request.RequestId = "AAECAwQFBgcI-4";
        request.OrderNumber = "A-1002";
        request.ChargeId = Charge;
        return request;
    }

    private static Welcome Welcome() => new()
    {
        HubTimeMs = 1_790_000_000_123,
        SessionEpoch = 1_790_000_000_120,
        RequestEpoch = "AAECAwQFBgcI",
        HeartbeatIntervalS = 300,
        ConfigurationVersion = 3,
        ConfigurationHash = Bytes(32, 0x20),
        Unsettled = 1,
        MaxAmountFen = 5_000_000,
    };

    private static Welcome WelcomeByToken()
    {
        var welcome = Welcome();
        welcome.HubNonce = ByteString.CopyFrom(Vectors.HubNonce);
        welcome.Unsettled = 0;
        welcome.ConfigurationVersion = 0;
        welcome.ConfigurationHash = ByteString.Empty;
        return welcome;
    }

    private static Outcome AlreadyPaid()
    {
        var outcome = Approved();
        outcome.RequestId = "AAECAwQFBgcI-3";
        outcome.OrderNumber = "A-1001";
        outcome.PaidBy = $"T0000002/{Request}";
        outcome.Text = new() { Id = "already_paid" };
        outcome.Speech = null;
        return outcome;
    }

    private static Outcome Ended(Outcome.Types.Result result, string text, uint revision) => new()
    {
        RequestId = Request,
        Result = result,
        Revision = revision,
        AmountFen = 1250,
        HubTimeMs = 1_790_000_061_000,
        SentTimeMs = 1_790_000_099_000,
        AgeMs = 38_000,
        Late = true,
        Text = new() { Id = text },
    };

    private static Outcome Approved() => new()
    {
        RequestId = Request,
        Result = Outcome.Types.Result.Approved,
        Revision = 1,
        AmountFen = 1250,
        PaidFen = 1200,
        DiscountFen = 50,
        Wallet = Wallet.Wechat,
        ChannelTransaction = "4200001234202611240001",
        Payer = "o*3k",
        MerchantName = "Corner Shop",
        HubTimeMs = 1_790_000_001_000,
        SentTimeMs = 1_790_000_001_004,
        AgeMs = 4,
        Text = new() { Id = "approved", Arguments = { "12.50" }, Text_ = ByteString.CopyFrom("收款成功12.50元", Encoding.UTF8) },
        Speech = new() { Clips = { 1 }, Text = ByteString.CopyFrom("收款成功12.50元", Encoding.UTF8) },
    };

    private static Outcome Declined() => new()
    {
        RequestId = Request,
        Result = Outcome.Types.Result.Declined,
        Revision = 1,
        AmountFen = 1250,
        Reason = DeclineReason.InsufficientFunds,
        Text = new() { Id = "declined_insufficient_funds" },
    };

    private static ByteString Bytes(int count, int first) => ByteString.CopyFrom([.. Enumerable.Range(first, count).Select(i => (byte)i)]);
}
