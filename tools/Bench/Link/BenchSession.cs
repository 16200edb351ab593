using System.Security.Cryptography;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Reports;
using Google.Protobuf;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Link;

/// <summary>How far the hub's side of a session goes by itself, and what it tells.</summary>
internal sealed record SessionScript
{
    public bool Challenges { get; init; } = true;

    public bool Welcomes { get; init; } = true;

    public bool Syncs { get; init; } = true;

    public uint HeartbeatSeconds { get; init; } = 30;

    /// <summary>Told, sealed, between welcome and synced.</summary>
    public IReadOnlyList<Downlink> Unsettled { get; init; } = [];

    /// <summary>What welcome says is wanted; a terminal that has it is sent nothing.</summary>
    public (ulong Version, byte[] Hash)? Configuration { get; init; }
}

/// <summary>The hub's side of a terminal's session on a <see cref="BenchLink"/>: hello, challenge, proof, welcome, synced, and sealing.</summary>
internal sealed class BenchSession
{
    private readonly BenchLink link;
    private readonly TerminalKeys keys;
    private WireEncoding encoding;
    private byte[] hubNonce = [];
    private bool isJudged;
    private Sealer? opening;
    private Sealer? sealing;

    public BenchSession(BenchLink link, TerminalKeys keys)
    {
        this.link = link;
        this.keys = keys;
        link.CameUp = Begin;
        link.Deliver = Take;
    }

    public SessionScript Script { get; set; } = new();

    public Hello? Hello { get; private set; }

    public Welcome Welcome { get; private set; } = new();

    /// <summary>The proof of this session; null: there was none, or no key to judge it by.</summary>
    public bool? ProofIsGood { get; private set; }

    public byte[]? SessionKey { get; private set; }

    /// <summary>Of the session before this one.</summary>
    public byte[]? OldSessionKey { get; private set; }

    /// <summary>The unit that logged in last.</summary>
    public UnitSeen? Unit { get; private set; }

    /// <summary>What a proof of this session is judged by.</summary>
    public Challenge Challenge => new() { HubNonce = ByteString.CopyFrom(hubNonce) };

    public byte[]? Key => link.Hello is { } hello ? keys.Find(hello.SerialNumber) : null;

    /// <summary>Money goes sealed, the rest bare. How long the link's ACK took; null: there was none.</summary>
    public Task<TimeSpan?> Tell(Downlink message) => link.Send(IsMoney(message) ? Encode(Seal(message)) : Encode(message));

    public byte[] Encode(Downlink message) => MessageCodec.Encode(message, encoding);

    /// <summary>Under this session's key and next sequence.</summary>
    public Downlink Seal(Downlink message) =>
        new() { Sealed = (sealing ?? throw new InvalidOperationException("no session key")).Seal(ByteString.CopyFrom(Encode(message))) };

    /// <summary>Under whatever key, with sequences of its own.</summary>
    public Downlink Seal(Downlink message, byte[] key, SealDirection direction = SealDirection.Down) =>
        new() { Sealed = new Sealer(key, direction).Seal(ByteString.CopyFrom(Encode(message))) };

    public static bool IsMoney(Downlink message) => message.BodyCase switch
    {
        Downlink.BodyOneofCase.Accepted or Downlink.BodyOneofCase.InDoubt or Downlink.BodyOneofCase.Outcome
            or Downlink.BodyOneofCase.Collect or Downlink.BodyOneofCase.CollectCancel => true,
        Downlink.BodyOneofCase.Refusal => message.Refusal.RequestId.Length > 0,
        _ => false,
    };

    private void Begin()
    {
        OldSessionKey = SessionKey ?? OldSessionKey;
        (Hello, ProofIsGood, SessionKey, opening, sealing) = (null, null, null, null, null);
        isJudged = false;
        hubNonce = RandomNumberGenerator.GetBytes(Login.NonceBytes);
    }

    private Said Take(byte[] payload)
    {
        var error = MessageCodec.TryDecode(payload, out Uplink? message, out var came);
        SealFault? seal = null;
        var sequence = 0UL;
        if (error.Ok && message!.BodyCase == Up.Sealed)
        {
            sequence = message.Sealed.Sequence;
            seal = opening?.Open(message.Sealed) ?? SealFault.WrongMac;
            error = MessageCodec.TryDecode(message.Sealed.Body.Span, out message, out _);
        }

        var said = new Said(message, error, seal, sequence);
        if (error.Ok)
        {
            Answer(message!, came);
        }

        return said;
    }

    private void Answer(Uplink message, WireEncoding came)
    {
        switch (message.BodyCase)
        {
            case Up.Hello:
                (Hello, encoding) = (message.Hello, came);
                Unit = new UnitSeen(link.Hello!.SerialNumber, Hello.HardwareId, Hello.Model, Hello.Firmware);
                if (Script.Challenges)
                {
                    Tell(new Downlink { Challenge = Challenge });
                }

                break;
            case Up.Activate when Script.Welcomes:
                var key = RandomNumberGenerator.GetBytes(Login.KeyBytes);
                keys.Keep(link.Hello!.SerialNumber, key);
                Tell(new Downlink { Offer = new Offer { TerminalKey = ByteString.CopyFrom(key), MerchantName = "Bench", StoreName = "Bench" } });
                break;
            case Up.Proof when Hello is not null && !isJudged:
                isJudged = true;
                Judge(message.Proof);
                break;
        }
    }

    private void Judge(Proof proof)
    {
        var name = link.Hello!.SerialNumber;
        var nonce = Hello!.TerminalNonce.Span;
        if (Key is { } key)
        {
            var wanted = HMACSHA256.HashData(key, Login.ProofInput("serial", name, Hello.HardwareId, hubNonce, nonce));
            ProofIsGood = wanted.AsSpan().SequenceEqual(proof.Mac.Span);
            SessionKey = HMACSHA256.HashData(key, Login.SealInput(name, hubNonce, nonce));
            opening = new Sealer(SessionKey, SealDirection.Up);
            sealing = new Sealer(SessionKey, SealDirection.Down);
            if (ProofIsGood is false)
            {
                Tell(new Downlink { Refusal = new Refusal { Code = Refusal.Types.Code.Credentials, Detail = "the proof does not fit the bench's key" } });
                return;
            }
        }

        if (Script.Welcomes)
        {
            TellWelcome();
        }
    }

    private void TellWelcome()
    {
        Welcome = new Welcome
        {
            HubTimeMs = (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            SessionEpoch = (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            RequestEpoch = Convert.ToBase64String(RandomNumberGenerator.GetBytes(9)).Replace('+', '-').Replace('/', '_'),
            HeartbeatIntervalS = Script.HeartbeatSeconds,
            ConfigurationVersion = Script.Configuration?.Version ?? 0,
            ConfigurationHash = ByteString.CopyFrom(Script.Configuration?.Hash ?? []),
            Unsettled = (uint)Script.Unsettled.Count,
            MaxAmountFen = 5_000_000,
        };
        Tell(new Downlink { Welcome = Welcome });
        foreach (var unsettled in Script.Unsettled)
        {
            Tell(unsettled);
        }

        if (Script.Syncs)
        {
            Tell(new Downlink { Synced = new Synced { Unsettled = (uint)Script.Unsettled.Count } });
        }
    }
}
