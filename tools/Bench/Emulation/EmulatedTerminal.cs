using System.Security.Cryptography;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Down = DeviceHub.Protocol.Wire.Downlink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Emulation;

/// <summary>Who an emulated terminal is.</summary>
/// <param name="ActivationCode">Null: it has none to answer a challenge with.</param>
internal sealed record TerminalIdentity(string SerialNumber, string HardwareId, string? ActivationCode = null, string Model = "bench-emulator", string Firmware = "1.0.0");

/// <summary>The line or connection below a terminal.</summary>
internal interface ITerminalWire
{
    /// <summary>Of the proof: <c>serial</c> or <c>mqtt</c>.</summary>
    string Name { get; }

    /// <summary>False: not now; it is tried again.</summary>
    bool TrySend(byte[] payload);

    /// <summary>The session is to begin anew.</summary>
    void Restart();
}

/// <summary>
/// A terminal that follows README.md of the protocol, or breaks it in one way. No clock and no thread of its own: its wire calls it, with the time
/// in milliseconds of any clock that only grows. Not thread-safe.
/// </summary>
internal sealed class EmulatedTerminal
{
    private enum State { Offline, Hello, Activating, Proof, Syncing, Ready }

    private const int AnswerMs = 10_000;
    private const int ProofAnswerMs = 35_000;

    private readonly TerminalIdentity identity;
    private readonly Fault fault;
    private readonly Action<string> show;
    private readonly Queue<Uplink> outbox = [];
    private TerminalFlash flash = new();
    private TerminalSettings settings;
    private TerminalPayments payments;
    private State state = State.Offline;
    private BootReason reason = BootReason.PowerOn;
    private byte[] nonce = [];
    private byte[] hubNonce = [];
    private Sealer? sealing;
    private Sealer? opening;
    private byte[]? oldKey;
    private byte[]? sessionKey;
    private Welcome welcome = new();
    private long welcomeAt;
    private long bootedAt;
    private bool reusesEpoch;
    private long answerDue = long.MaxValue;
    private long nextBeat = long.MaxValue;

    public EmulatedTerminal(TerminalIdentity identity, byte[]? key, Fault fault, Action<string> show)
    {
        (this.identity, this.fault, this.show) = (identity, fault, show);
        flash.Key = key;
        settings = new(flash, fault);
        payments = new(fault, show);
    }

    public bool IsReady => state == State.Ready;

    /// <summary>Scans a code; the amount was typed before, or is that of a charge.</summary>
    public void Scan(string code, long amountFen, long nowMs)
    {
        if (state != State.Ready)
        {
            show("no network: not sent");
            return;
        }

        payments.Scan(code, amountFen, nowMs);
    }

    public void Cancel(long nowMs) => payments.Cancel(nowMs);

    /// <summary>RAM is gone; the wire is to begin anew after it.</summary>
    public void PowerCut(long nowMs)
    {
        settings = new(flash, fault);
        payments = new(fault, show);
        oldKey = null;
        sessionKey = null;
        reusesEpoch = fault == Fault.SameIdsAfterReboot;
        (reason, bootedAt) = (BootReason.PowerOn, nowMs);
        Disconnected();
        show("starting");
    }

    /// <summary>As it left the factory: no key.</summary>
    public void FactoryReset(long nowMs)
    {
        flash = new TerminalFlash { LastEpoch = flash.LastEpoch };
        PowerCut(nowMs);
        reusesEpoch |= fault == Fault.SameIdsAfterFactoryReset;
    }

    /// <summary>Something that carries messages is there.</summary>
    public void Connected(long nowMs)
    {
        nonce = RandomNumberGenerator.GetBytes(Login.NonceBytes);
        outbox.Clear();
        var hello = new Hello
        {
            ProtocolVersion = 1,
            HardwareId = identity.HardwareId,
            BootReason = reason,
            Firmware = identity.Firmware,
            Model = identity.Model,
            MaxMessageBytes = 2048,
            TextEncoding = TextEncoding.Utf8,
            TextColumns = 20,
            TerminalNonce = ByteString.CopyFrom(nonce),
            Capabilities = { "screen", "buzzer", "collect" },
        };
        hello.OpenRequestIds.Add(payments.OpenIds);
        (state, answerDue, reason) = (State.Hello, nowMs + AnswerMs, BootReason.Reconnect);
        outbox.Enqueue(new Uplink { Hello = hello });
    }

    public void Disconnected()
    {
        oldKey = sessionKey ?? oldKey;
        (state, sealing, opening, answerDue, nextBeat) = (State.Offline, null, null, long.MaxValue, long.MaxValue);
        outbox.Clear();
        settings.Drop();
        payments.Disconnected();
    }

    /// <summary>Sends what waits, and does what is due.</summary>
    public void Poll(ITerminalWire wire, long nowMs)
    {
        if (nowMs >= answerDue)
        {
            answerDue = long.MaxValue;
            show("no answer: begins anew");
            wire.Restart();
            return;
        }

        if (state == State.Ready)
        {
            if (nowMs >= nextBeat && outbox.Count == 0)
            {
                nextBeat = fault == Fault.Floods ? nowMs : nowMs + (welcome.HeartbeatIntervalS * 1000L);
                Beat(nowMs);
            }

            payments.Poll(outbox, nowMs);
        }

        while (outbox.TryPeek(out var next) && wire.TrySend(Write(next)))
        {
            outbox.Dequeue();
        }
    }

    public void Receive(ITerminalWire wire, ReadOnlySpan<byte> payload, long nowMs)
    {
        if (!MessageCodec.TryDecode(payload, out Downlink? message, out _).Ok)
        {
            return;
        }

        var isSealed = message!.BodyCase == Down.Sealed;
        if (isSealed && !TryOpen(message.Sealed, out message))
        {
            return;
        }

        if (IsMoney(message!) && !isSealed && fault != Fault.AnnouncesUnsealed)
        {
            return;
        }

        Take(wire, message!, nowMs);
    }

    private void Take(ITerminalWire wire, Downlink message, long nowMs)
    {
        switch (message.BodyCase)
        {
            case Down.Challenge when state == State.Hello:
                Answer(wire, message.Challenge.HubNonce.ToByteArray(), nowMs);
                break;
            case Down.Offer when state == State.Activating:
                flash.Key = message.Offer.TerminalKey.ToByteArray();
                Prove(wire, nowMs);
                break;
            case Down.Welcome when state == State.Proof:
                (welcome, welcomeAt, state, answerDue) = (message.Welcome, nowMs, State.Syncing, nowMs + AnswerMs);
                TakeEpoch();
                break;
            case Down.Synced when state == State.Syncing:
                (state, answerDue, nextBeat) = (State.Ready, long.MaxValue, nowMs);
                payments.Ready(nowMs);
                show("ready");
                break;
            case Down.ConfigurationChunk when state == State.Ready:
                settings.Take(message.ConfigurationChunk);
                break;
            case Down.ConfigurationCommit when state == State.Ready:
                if (settings.Commit(message.ConfigurationCommit) is { } report)
                {
                    outbox.Enqueue(new Uplink { ConfigurationReport = report });
                }

                break;
            case Down.Refusal when message.Refusal.RequestId.Length == 0:
                show($"refused: {message.Refusal.Code}");
                break;
            default:
                payments.Take(message, outbox, (long)welcome.HubTimeMs + nowMs - welcomeAt, nowMs);
                break;
        }
    }

    private void Answer(ITerminalWire wire, byte[] challenge, long nowMs)
    {
        hubNonce = challenge;
        if (flash.Key is not null)
        {
            Prove(wire, nowMs);
        }
        else if (identity.ActivationCode is { } code)
        {
            (state, answerDue) = (State.Activating, nowMs + ProofAnswerMs);
            outbox.Enqueue(new Uplink { Activate = new Activate { ActivationCode = code } });
        }
        else
        {
            show("activation: no code");
        }
    }

    private void Prove(ITerminalWire wire, long nowMs)
    {
        var mac = HMACSHA256.HashData(flash.Key!, Login.ProofInput(wire.Name, identity.SerialNumber, identity.HardwareId, hubNonce, nonce));
        mac[0] ^= (byte)(fault == Fault.WrongProof ? 1 : 0);
        sessionKey = HMACSHA256.HashData(flash.Key!, Login.SealInput(identity.SerialNumber, hubNonce, nonce));
        sealing = new Sealer(sessionKey, SealDirection.Up);
        opening = new Sealer(sessionKey, SealDirection.Down);
        (state, answerDue) = (State.Proof, nowMs + ProofAnswerMs);
        for (var i = fault == Fault.RepeatsProof ? 0 : 1; i < 2; i++)
        {
            outbox.Enqueue(new Uplink { Proof = new Proof { Mac = ByteString.CopyFrom(mac) } });
        }
    }

    /// <summary>A faulty one remembers its last epoch, and counts from 1 in it again.</summary>
    private void TakeEpoch()
    {
        var epoch = reusesEpoch ? flash.LastEpoch ?? welcome.RequestEpoch : welcome.RequestEpoch;
        flash.LastEpoch = epoch;
        reusesEpoch = false;
        payments.Begin(epoch);
    }

    private void Beat(long nowMs) => outbox.Enqueue(new Uplink
    {
        Heartbeat = new Heartbeat
        {
            UptimeS = (ulong)((nowMs - bootedAt) / 1000),
            Firmware = identity.Firmware,
            ConfigurationVersion = settings.Version,
            SignalDbm = -71,
            BatteryPercent = 90,
            Power = PowerSource.Mains,
            ResetReason = BootReason.PowerOn,
            Modem = new Modem { Imei = "861234567890123", Iccid = "89860012345678901234", SimSlot = 1, Bearer = Modem.Types.Bearer.Lte },
            Unsettled = (uint)payments.OpenIds.Count(),
        },
    });

    private byte[] Write(Uplink message)
    {
        var bytes = MessageCodec.Encode(message, WireEncoding.Protobuf);
        return MessageRules.IsMoney(message.BodyCase)
            ? MessageCodec.Encode(new Uplink { Sealed = sealing!.Seal(ByteString.CopyFrom(bytes)) }, WireEncoding.Protobuf)
            : bytes;
    }

    private bool TryOpen(Sealed message, out Downlink? inner)
    {
        inner = null;
        if (opening is null)
        {
            return false;
        }

        var opens = opening.Open(message) == SealFault.None || fault == Fault.AnnouncesWrongMac
            || (fault == Fault.AcceptsOldKey && oldKey is not null && new Sealer(oldKey, SealDirection.Down).Open(message) == SealFault.None);
        return opens && MessageCodec.TryDecode(message.Body.Span, out inner, out _).Ok && inner!.BodyCase != Down.Sealed;
    }

    private static bool IsMoney(Downlink message) => Link.BenchSession.IsMoney(message);
}
