using System.Security.Cryptography;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Gateways.Serial;

/// <summary>From hello to synced, and what a terminal does besides payments.</summary>
internal sealed partial class ScannerTerminal
{
    private readonly SortedDictionary<uint, ConfigurationChunk> chunks = [];
    private byte[] terminalNonce = [];
    private byte[] hubNonce = [];
    private Sealer? seal;
    private Sealer? opener;
    private string requestEpoch = "";
    private bool synced;
    private long heartbeatAt;
    private int heartbeatMs;
    private long startedAt;
    private ulong configurationVersion;

    /// <summary>The board of a terminal that has none is the port's name for ever.</summary>
    private string HardwareId => $"port-{serialNumber}";

    /// <summary>A session began.</summary>
    public void Connected(long nowMs)
    {
        startedAt = startedAt == 0 ? nowMs : startedAt;
        terminalNonce = RandomNumberGenerator.GetBytes(Login.NonceBytes);
        var hello = new Hello
        {
            ProtocolVersion = 1,
            HardwareId = HardwareId,
            BootReason = BootReason.Reconnect,
            Firmware = "scanner port",
            MaxMessageBytes = 4_096,
            TextEncoding = TextEncoding.None,
            TerminalNonce = ByteString.CopyFrom(terminalNonce),
            Capabilities = { "collect" },
        };
        if (open is { } request)
        {
            hello.OpenRequestIds.Add(request.Message.RequestId);
        }

        host.Send(new Uplink { Hello = hello });
    }

    /// <summary>The session is over. What is open stays open; the hub sends a collect again after the next login.</summary>
    public void Disconnected()
    {
        synced = false;
        seal = null;
        opener = null;
        charge = open is null ? null : charge;
    }

    public void Received(Downlink message, long nowMs)
    {
        switch (message.BodyCase)
        {
            case Downlink.BodyOneofCase.Challenge:
                hubNonce = message.Challenge.HubNonce.ToByteArray();
                ProveOrActivate();
                break;
            case Downlink.BodyOneofCase.Offer:
                host.StoreKey(message.Offer.TerminalKey.Span);
                host.Tell("activated");
                Prove(message.Offer.TerminalKey.Span);
                break;
            case Downlink.BodyOneofCase.Welcome:
                requestEpoch = message.Welcome.RequestEpoch;
                counter = 0;
                heartbeatMs = (int)message.Welcome.HeartbeatIntervalS * 1000;
                break;
            case Downlink.BodyOneofCase.Synced:
                Synced(nowMs);
                break;
            case Downlink.BodyOneofCase.ConfigurationChunk:
                Keep(message.ConfigurationChunk);
                break;
            case Downlink.BodyOneofCase.ConfigurationCommit:
                Apply(message.ConfigurationCommit);
                break;
            case Downlink.BodyOneofCase.Sealed:
                Open(message.Sealed, nowMs);
                break;
            case Downlink.BodyOneofCase.Refusal when message.Refusal.RequestId.Length == 0:
                host.Tell($"the hub refuses: {message.Refusal.Code} {message.Refusal.Detail}".TrimEnd());
                break;
        }
    }

    private void ProveOrActivate()
    {
        if (host.LoadKey() is { } key)
        {
            Prove(key.Reveal().Span);
        }
        else if (!string.IsNullOrEmpty(activationCode))
        {
            host.Send(new Uplink { Activate = new() { ActivationCode = activationCode } });
        }
        else
        {
            host.Tell("it has no key yet: set ActivationCode among the port's options once");
        }
    }

    private void Prove(ReadOnlySpan<byte> key)
    {
        var sessionKey = HMACSHA256.HashData(key, Login.SealInput(serialNumber, hubNonce, terminalNonce));
        seal = new Sealer(sessionKey, SealDirection.Up);
        opener = new Sealer(sessionKey, SealDirection.Down);
        var input = Login.ProofInput("serial", serialNumber, HardwareId, hubNonce, terminalNonce);
        host.Send(new Uplink { Proof = new() { Mac = ByteString.CopyFrom(HMACSHA256.HashData(key, input)) } });
    }

    private void Synced(long nowMs)
    {
        synced = true;
        Beat(nowMs);
        if (open is { } request)
        {
            // Of before: repeated under its old id, or asked about.
            request.NextAt = nowMs;
        }
    }

    private void Beat(long nowMs)
    {
        heartbeatAt = nowMs + Math.Max(30_000, heartbeatMs);
        host.Send(new Uplink
        {
            Heartbeat = new() { UptimeS = (ulong)((nowMs - startedAt) / 1000), Firmware = "scanner port", ConfigurationVersion = configurationVersion, Power = PowerSource.Mains },
        });
    }

    private void SendSealed(Uplink message)
    {
        if (seal is { } sealer)
        {
            host.Send(new Uplink { Sealed = sealer.Seal(message.ToByteString()) });
        }
    }

    private void Open(Sealed message, long nowMs)
    {
        if (opener?.Open(message) == SealFault.None && MessageCodec.TryDecode(message.Body.Span, out Downlink? inner, out _).Ok)
        {
            Money(inner!, nowMs);
        }
    }

    private void Keep(ConfigurationChunk chunk)
    {
        if (chunks.Count > 0 && chunks.Values.First().Version != chunk.Version)
        {
            chunks.Clear();
        }

        chunks[chunk.Index] = chunk;
    }

    /// <summary>A port has nothing to configure: it says that it has all of it.</summary>
    private void Apply(ConfigurationCommit commit)
    {
        var hash = ConfigurationHash.Of(chunks.Values.Where(c => c.Version == commit.Version).SelectMany(c => c.Entries));
        var whole = hash.AsSpan().SequenceEqual(commit.Hash.Span);
        chunks.Clear();
        configurationVersion = whole ? commit.Version : configurationVersion;
        host.Send(new Uplink
        {
            ConfigurationReport = new()
            {
                Version = commit.Version,
                Hash = ByteString.CopyFrom(hash),
                Result = whole ? ConfigurationReport.Types.Result.Applied : ConfigurationReport.Types.Result.HashMismatch,
            },
        });
    }
}
