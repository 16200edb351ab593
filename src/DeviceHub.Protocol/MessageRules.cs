using System.Text;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Protocol;

/// <summary>The limits that terminal.proto's comments state, both ways. What the hub judges with a refusal of its own (amounts, epochs) is not here.</summary>
public static class MessageRules
{
    public const int MaxUnsettled = 20;

    private const int MaxCapabilities = 16;
    private const int MaxReconnects = 8;

    /// <summary>What is sealed, and what a sealed body may hold: money and nothing else.</summary>
    public static bool IsMoney(Uplink.BodyOneofCase body) => body is Uplink.BodyOneofCase.PaymentRequest or Uplink.BodyOneofCase.PaymentQuery
        or Uplink.BodyOneofCase.PaymentCancel or Uplink.BodyOneofCase.OutcomeShown or Uplink.BodyOneofCase.Collecting or Uplink.BodyOneofCase.CollectEnded;

    public static DecodeError Check(Uplink message) => message.BodyCase switch
    {
        Uplink.BodyOneofCase.Hello => Check(message.Hello),
        Uplink.BodyOneofCase.Proof => Exactly(message.Proof.Mac, Login.ProofBytes, "proof.mac"),
        Uplink.BodyOneofCase.Activate => Text(message.Activate.ActivationCode, 1, 32, "activate.activation_code"),
        Uplink.BodyOneofCase.Heartbeat => Check(message.Heartbeat),
        Uplink.BodyOneofCase.ConfigurationReport => Check(message.ConfigurationReport),
        Uplink.BodyOneofCase.PaymentRequest => Check(message.PaymentRequest),
        Uplink.BodyOneofCase.PaymentQuery => RequestId(message.PaymentQuery.RequestId, "payment_query"),
        Uplink.BodyOneofCase.PaymentCancel => RequestId(message.PaymentCancel.RequestId, "payment_cancel"),
        Uplink.BodyOneofCase.OutcomeShown => First(
            RequestId(message.OutcomeShown.RequestId, "outcome_shown"),
            Range(message.OutcomeShown.Revision, 1, int.MaxValue, "outcome_shown.revision")),
        Uplink.BodyOneofCase.Sealed => Check(message.Sealed),
        Uplink.BodyOneofCase.Collecting => ChargeId(message.Collecting.ChargeId, "collecting.charge_id"),
        Uplink.BodyOneofCase.CollectEnded => First(
            ChargeId(message.CollectEnded.ChargeId, "collect_ended.charge_id"), Given((int)message.CollectEnded.Reason, "collect_ended.reason")),
        _ => new(DecodeFault.NoBody, "an Uplink needs one body that this version knows"),
    };

    public static DecodeError Check(Downlink message) => message.BodyCase switch
    {
        Downlink.BodyOneofCase.Challenge => Exactly(message.Challenge.HubNonce, Login.NonceBytes, "challenge.hub_nonce"),
        Downlink.BodyOneofCase.Offer => Exactly(message.Offer.TerminalKey, Login.KeyBytes, "offer.terminal_key"),
        Downlink.BodyOneofCase.Welcome => First(
            Text(message.Welcome.RequestEpoch, 12, 12, "welcome.request_epoch"),
            Range(message.Welcome.Unsettled, 0, MaxUnsettled, "welcome.unsettled")),
        Downlink.BodyOneofCase.Synced => DecodeError.None,
        Downlink.BodyOneofCase.ConfigurationChunk => Check(message.ConfigurationChunk),
        Downlink.BodyOneofCase.ConfigurationCommit => First(
            Exactly(message.ConfigurationCommit.Hash, 32, "configuration_commit.hash"),
            Range(message.ConfigurationCommit.Chunks, 0, 256, "configuration_commit.chunks")),
        Downlink.BodyOneofCase.Accepted => First(
            RequestId(message.Accepted.RequestId, "accepted"), Given((int)message.Accepted.State, "accepted.state")),
        Downlink.BodyOneofCase.InDoubt => RequestId(message.InDoubt.RequestId, "in_doubt"),
        Downlink.BodyOneofCase.Outcome => First(
            RequestId(message.Outcome.RequestId, "outcome"),
            Given((int)message.Outcome.Result, "outcome.result"),
            Range(message.Outcome.Revision, 1, int.MaxValue, "outcome.revision")),
        Downlink.BodyOneofCase.Refusal => Given((int)message.Refusal.Code, "refusal.code"),
        Downlink.BodyOneofCase.Sealed => Check(message.Sealed),
        Downlink.BodyOneofCase.Collect => Check(message.Collect),
        Downlink.BodyOneofCase.CollectCancel => ChargeId(message.CollectCancel.ChargeId, "collect_cancel.charge_id"),
        _ => new(DecodeFault.NoBody, "a Downlink needs one body that this version knows"),
    };

    private static DecodeError Check(Hello hello)
    {
        foreach (var capability in hello.Capabilities)
        {
            if (hello.Capabilities.Count > MaxCapabilities || Text(capability, 1, 24, "hello.capabilities") is { Ok: false })
            {
                return Bad($"hello.capabilities: at most {MaxCapabilities} of 1 to 24 bytes");
            }
        }

        foreach (var id in hello.OpenRequestIds)
        {
            if (hello.OpenRequestIds.Count > MaxUnsettled || !Names.IsRequestId(id))
            {
                return Bad($"hello.open_request_ids: at most {MaxUnsettled} request ids");
            }
        }

        // The version is judged first by the hub; other fields of another version may mean other things.
        return hello.ProtocolVersion != 1
            ? DecodeError.None
            : First(
                Names.IsHardwareId(hello.HardwareId) ? DecodeError.None : Bad("hello.hardware_id: 1 to 64 of A-Z a-z 0-9 . _ : -"),
                Given((int)hello.BootReason, "hello.boot_reason"),
                Text(hello.Firmware, 0, 32, "hello.firmware"),
                Text(hello.Model, 0, 32, "hello.model"),
                hello.MaxMessageBytes is 0 or (>= 512 and <= MessageCodec.MaxBytes)
                    ? DecodeError.None
                    : Bad($"hello.max_message_bytes: 0 or 512 to {MessageCodec.MaxBytes}"),
                Range(hello.TextColumns, 0, 255, "hello.text_columns"),
                Exactly(hello.TerminalNonce, Login.NonceBytes, "hello.terminal_nonce"));
    }

    private static DecodeError Check(Heartbeat beat)
    {
        foreach (var reconnect in beat.Reconnects)
        {
            if (beat.Reconnects.Count > MaxReconnects || reconnect.Cause == 0 || reconnect.Count is 0 or > 65_535)
            {
                return Bad($"heartbeat.reconnects: at most {MaxReconnects}, each with a cause and a count of 1 to 65535");
            }
        }

        var (cell, gps) = (beat.Place?.Cell, beat.Place?.Gps);
        return First(
            Text(beat.Firmware, 0, 32, "heartbeat.firmware"),
            beat.SignalDbm is >= -150 and <= 0 ? DecodeError.None : Bad("heartbeat.signal_dbm: -150 to 0"),
            Range(beat.BatteryPercent, 0, 100, "heartbeat.battery_percent"),
            Text(beat.Modem?.Imei, 0, 16, "heartbeat.modem.imei"),
            Text(beat.Modem?.Iccid, 0, 20, "heartbeat.modem.iccid"),
            Range(beat.Modem?.SimSlot ?? 0, 0, 2, "heartbeat.modem.sim_slot"),
            Text(beat.Place?.Ip, 0, 45, "heartbeat.place.ip"),
            Range(cell?.Mcc ?? 0, 0, 999, "heartbeat.place.cell.mcc"),
            Range(cell?.Mnc ?? 0, 0, 999, "heartbeat.place.cell.mnc"),
            gps is null or { LatitudeE7: >= -900_000_000 and <= 900_000_000, LongitudeE7: >= -1_800_000_000 and <= 1_800_000_000 }
                ? DecodeError.None
                : Bad("heartbeat.place.gps: latitude_e7 -900000000 to 900000000, longitude_e7 -1800000000 to 1800000000"));
    }

    private static DecodeError Check(ConfigurationReport report) => First(
        Known(report.Result, "configuration_report.result"),
        Text(report.Detail, 0, 100, "configuration_report.detail"),
        report.Hash.Length is 0 or 32 ? DecodeError.None : Bad("configuration_report.hash: 0 or 32 bytes"));

    private static DecodeError Check(ConfigurationChunk chunk)
    {
        foreach (var entry in chunk.Entries)
        {
            if (entry.Key.Length is 0 or > 48 || entry.ValueCase == ConfigurationEntry.ValueOneofCase.None)
            {
                return Bad("configuration_chunk.entries: a key of 1 to 48 characters and one value each");
            }
        }

        return Range(chunk.Index, 0, 255, "configuration_chunk.index");
    }

    private static DecodeError Check(PaymentRequest request) => First(
        RequestId(request.RequestId, "payment_request"),
        Range(request.AmountFen, 0, long.MaxValue, "payment_request.amount_fen"),
        request.Currency is "" or "CNY" ? DecodeError.None : Bad("payment_request.currency: CNY"),
        // A short one was scanned too: it fits no wallet and is refused as that.
        Text(request.PaymentCode, 1, 64, "payment_request.payment_code"),
        request.OrderNumber.Length == 0 || Names.IsOrderNumber(request.OrderNumber)
            ? DecodeError.None
            : Bad("payment_request.order_number: at most 32 of A-Z a-z 0-9 _ -"),
        Range(request.TimeToLiveMs, 1000, 120_000, "payment_request.time_to_live_ms"),
        request.RepeatOf.Length == 0 || Names.IsRequestId(request.RepeatOf) ? DecodeError.None : Bad("payment_request.repeat_of: a request id"),
        request.ChargeId.Length == 0 ? DecodeError.None : ChargeId(request.ChargeId, "payment_request.charge_id"));

    private static DecodeError Check(Collect collect) => First(
        ChargeId(collect.ChargeId, "collect.charge_id"),
        Range(collect.AmountFen, 1, long.MaxValue, "collect.amount_fen"),
        collect.OrderNumber.Length == 0 || Names.IsOrderNumber(collect.OrderNumber)
            ? DecodeError.None
            : Bad("collect.order_number: at most 32 of A-Z a-z 0-9 _ -"),
        Range(collect.TimeToLiveMs, 1, 3_600_000, "collect.time_to_live_ms"));

    private static DecodeError Check(Sealed message) => First(
        message.Body.Length > 0 ? DecodeError.None : Bad("sealed.body: empty"),
        Range(message.Sequence, 1, ulong.MaxValue, "sealed.sequence"),
        Exactly(message.Mac, Sealer.MacBytes, "sealed.mac"));

    private static DecodeError RequestId(string id, string where) =>
        Names.IsRequestId(id) ? DecodeError.None : Bad($"{where}.request_id: 8 to 36 of A-Z a-z 0-9 _ -");

    /// <summary>Made by the hub, in the shape of a request id.</summary>
    private static DecodeError ChargeId(string id, string where) =>
        Names.IsRequestId(id) ? DecodeError.None : Bad($"{where}: 8 to 36 of A-Z a-z 0-9 _ -");

    private static DecodeError Known<T>(T value, string where)
        where T : struct, Enum =>
        !EqualityComparer<T>.Default.Equals(value, default) && Enum.IsDefined(value) ? DecodeError.None : Bad($"{where}: missing or not known");

    /// <summary>For values whose general case is good enough: newer ones, which this version does not know, pass.</summary>
    private static DecodeError Given(int value, string where) =>
        value != 0 ? DecodeError.None : Bad($"{where}: missing or UNSPECIFIED");

    private static DecodeError Range(ulong value, ulong min, ulong max, string where) =>
        value >= min && value <= max ? DecodeError.None : Bad($"{where}: {min} to {max}");

    private static DecodeError Exactly(ByteString bytes, int length, string where) =>
        bytes.Length == length ? DecodeError.None : Bad($"{where}: {length} bytes");

    private static DecodeError Text(string? text, int min, int max, string where)
    {
        text ??= "";
        if (text.Length < min || (text.Length > max / 4 && Encoding.UTF8.GetByteCount(text) > max))
        {
            return Bad($"{where}: {min} to {max} bytes");
        }

        foreach (var c in text)
        {
            // U+FFFD is what the protobuf parser makes of bytes that are not UTF-8.
            if (char.IsControl(c) || c == '\uFFFD')
            {
                return Bad($"{where}: a control character or invalid UTF-8");
            }
        }

        return DecodeError.None;
    }

    private static DecodeError Bad(string detail) => new(DecodeFault.Field, detail);

    private static DecodeError First(params ReadOnlySpan<DecodeError> results)
    {
        foreach (var result in results)
        {
            if (!result.Ok)
            {
                return result;
            }
        }

        return DecodeError.None;
    }
}
