using System.Security.Cryptography;
using DeviceHub.Core;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Refusal = DeviceHub.Protocol.Wire.Refusal;

namespace DeviceHub.Gateways.Serial;

/// <summary>What a scanner's terminal needs of the world around it.</summary>
internal interface IScannerHost
{
    void Send(Uplink message);

    SecretBytes? LoadKey();

    /// <exception cref="IOException">It cannot be stored: it is not proved, and activated again later.</exception>
    void StoreKey(ReadOnlySpan<byte> key);

    /// <summary>A wallet's code by its shape; true where only the hub can tell.</summary>
    bool IsWallet(string code);

    /// <summary>A charge begins: what was read of a code before is none of its.</summary>
    void ForgetPartOfCode();

    /// <summary>What became of a code, in a fixed word.</summary>
    void Count(string what);

    /// <summary>For the operator.</summary>
    void Tell(string words);
}

/// <summary>
/// The terminal that a plain scanner has not got: it speaks the protocol for it, as the states of firmware-protocol/README.md say, and pays only what the
/// till asks for. No clock and no I/O: times in milliseconds of a clock that only grows come in. Not thread-safe.
/// </summary>
internal sealed partial class ScannerTerminal(string serialNumber, string? activationCode, int duplicateWindowMs, IScannerHost host)
{
    private const int TimeToLiveMs = 30_000;
    private const int QueryMs = 30_000;
    private static readonly int[] RepeatMs = [3_000, 6_000, 12_000];

    private Charge? charge;
    private Request? open;
    private string lastAnswer = "";
    private long lastAnswerSeenAt = long.MinValue / 2;
    private int counter;

    /// <summary>When <see cref="Tick"/> is wanted.</summary>
    public long NextTick => !synced ? long.MaxValue : Math.Min(heartbeatAt, Math.Min(open?.NextAt ?? long.MaxValue, open is null ? charge?.ExpiresAt ?? long.MaxValue : long.MaxValue));

    /// <summary>A code was read. Only one that fits a wallet answers a charge, and only once.</summary>
    public void Scanned(string code, long nowMs)
    {
        if (code == lastAnswer && nowMs - lastAnswerSeenAt < duplicateWindowMs)
        {
            lastAnswerSeenAt = nowMs;
            host.Count("repeated");
        }
        else if (!synced || charge is null || open is not null || nowMs >= charge.ExpiresAt)
        {
            host.Count("not-asked-for");
        }
        else if (!host.IsWallet(code))
        {
            host.Count("no-wallet");
        }
        else
        {
            (lastAnswer, lastAnswerSeenAt) = (code, nowMs);
            host.Count("answer");
            open = new Request(charge.Id, nowMs, new PaymentRequest
            {
                RequestId = $"{requestEpoch}-{++counter}",
                AmountFen = charge.AmountFen,
                OrderNumber = charge.OrderNumber,
                ChargeId = charge.Id,
                PaymentCode = code,
                TimeToLiveMs = TimeToLiveMs,
            });
            SendRequest(open, nowMs);
        }
    }

    public void Tick(long nowMs)
    {
        if (!synced)
        {
            return;
        }

        if (nowMs >= heartbeatAt)
        {
            Beat(nowMs);
        }

        if (open is { } request && nowMs >= request.NextAt)
        {
            if (request.Answered)
            {
                request.NextAt = nowMs + QueryMs;
                SendSealed(new Uplink { PaymentQuery = new() { RequestId = request.Message.RequestId } });
            }
            else
            {
                SendRequest(request, nowMs);
            }
        }

        EndExpired(nowMs);
    }

    private void SendRequest(Request request, long nowMs)
    {
        request.Message.AgeMs = (uint)Math.Min(int.MaxValue, nowMs - request.ScannedAt);
        request.NextAt = nowMs + RepeatMs[Math.Min(request.Sends++, RepeatMs.Length - 1)];
        SendSealed(new Uplink { PaymentRequest = request.Message });
    }

    private void Money(Downlink message, long nowMs)
    {
        switch (message.BodyCase)
        {
            case Downlink.BodyOneofCase.Collect:
                Collect(message.Collect, nowMs);
                break;
            case Downlink.BodyOneofCase.CollectCancel when open is null && charge?.Id == message.CollectCancel.ChargeId:
                charge = null;
                break;
            case Downlink.BodyOneofCase.Accepted when open?.Message.RequestId == message.Accepted.RequestId:
                Wait(nowMs);
                break;
            case Downlink.BodyOneofCase.InDoubt when open?.Message.RequestId == message.InDoubt.RequestId:
                Wait(nowMs);
                break;
            case Downlink.BodyOneofCase.Outcome:
                Settled(message.Outcome);
                break;
            case Downlink.BodyOneofCase.Refusal when open?.Message.RequestId == message.Refusal.RequestId:
                Refused(message.Refusal, nowMs);
                break;
        }
    }

    private void Collect(Collect collect, long nowMs)
    {
        if (open is { } request && request.ChargeId != collect.ChargeId)
        {
            SendSealed(new Uplink { CollectEnded = new() { ChargeId = collect.ChargeId, Reason = CollectEnded.Types.Reason.Busy } });
            return;
        }

        if (open is null)
        {
            if (charge?.Id != collect.ChargeId)
            {
                host.ForgetPartOfCode();
            }

            charge = new Charge(collect.ChargeId, collect.AmountFen, collect.OrderNumber, nowMs + collect.TimeToLiveMs);
        }

        SendSealed(new Uplink { Collecting = new() { ChargeId = collect.ChargeId } });
    }

    private void Wait(long nowMs)
    {
        open!.Answered = true;
        open.NextAt = nowMs + QueryMs;
    }

    /// <summary>The till shows the result, since the scanner cannot: what is confirmed is that it has reached this end.</summary>
    private void Settled(Outcome outcome)
    {
        if (open?.Message.RequestId == outcome.RequestId)
        {
            open = null;
            charge = null;
        }

        if (outcome.PaidBy.Length == 0)
        {
            SendSealed(new Uplink { OutcomeShown = new() { RequestId = outcome.RequestId, Revision = outcome.Revision } });
        }
    }

    private void Refused(Refusal refusal, long nowMs)
    {
        var request = open!;
        if (refusal.RetryAfterMs > 0 || refusal.Code == Refusal.Types.Code.UnknownPayment)
        {
            request.Answered = false;
            request.NextAt = nowMs + refusal.RetryAfterMs;
            return;
        }

        // Nothing was charged under it: another scan may answer, unless the charge itself is over.
        open = null;
        host.Count("refused");
        if (refusal.Code == Refusal.Types.Code.ChargeClosed)
        {
            charge = null;
        }

        EndExpired(nowMs);
    }

    private void EndExpired(long nowMs)
    {
        if (open is null && charge is { } over && nowMs >= over.ExpiresAt)
        {
            charge = null;
            SendSealed(new Uplink { CollectEnded = new() { ChargeId = over.Id, Reason = CollectEnded.Types.Reason.Expired } });
        }
    }

    /// <summary>What the till wants.</summary>
    private sealed record Charge(string Id, ulong AmountFen, string OrderNumber, long ExpiresAt);

    /// <summary>The scan that answers it, until its outcome.</summary>
    private sealed class Request(string chargeId, long scannedAt, PaymentRequest message)
    {
        public string ChargeId => chargeId;

        public long ScannedAt => scannedAt;

        public PaymentRequest Message => message;

        public int Sends { get; set; }

        /// <summary>The hub has it in its ledger: it is asked about, not sent again.</summary>
        public bool Answered { get; set; }

        public long NextAt { get; set; }
    }
}
