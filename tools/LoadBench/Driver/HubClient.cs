using System.Globalization;
using System.Security.Cryptography;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Tools.LoadBench.Driver;

/// <summary>
/// A terminal of the hub at its leanest: logs in by challenge, seals, pays, and says that it has shown each outcome. Its packets are
/// built before a run; what it receives it opens and checks as a terminal must.
/// </summary>
internal sealed class HubClient(string serialNumber, byte[] key, Tally tally) : LoadClient(serialNumber, tally)
{
    /// <summary>Bytes of a sealed payment request, so that echoes carry as much.</summary>
    public const int RequestBytes = 130;

    private readonly byte[] nonce = RandomNumberGenerator.GetBytes(Login.NonceBytes);
    private readonly Queue<(string Id, byte[] Packets)> prepared = new();
    private Sealer? up;
    private Sealer? down;
    private string requestEpoch = "";
    private string? shown;
    private string? waitsFor;
    private int counter;

    protected override byte[] Heartbeat { get; } = Packets.Publish(
        Names.UpTopic(serialNumber),
        new Uplink { Heartbeat = new Heartbeat { UptimeS = 86400, Firmware = "1.0.0", SignalDbm = -71, Power = PowerSource.Mains } }.ToByteArray());

    public static string HardwareId(string serialNumber) => "hw-" + serialNumber;

    /// <summary>
    /// Seals so many requests in advance, each behind the "shown" of the outcome before it. The rest, if a run needs more, is made on
    /// the way.
    /// </summary>
    public void Prepare(int count)
    {
        while (prepared.Count < count)
        {
            prepared.Enqueue(Build());
        }
    }

    protected override void LogIn() => Publish(new Uplink
    {
        Hello = new Hello
        {
            ProtocolVersion = 1,
            HardwareId = HardwareId(SerialNumber),
            BootReason = BootReason.PowerOn,
            Firmware = "1.0.0",
            MaxMessageBytes = 1024,
            TextEncoding = TextEncoding.Utf8,
            TerminalNonce = ByteString.CopyFrom(nonce),
        },
    }.ToByteArray());

    protected override Memory<byte> NextRequest()
    {
        if (!prepared.TryDequeue(out var request))
        {
            request = Build();
        }

        waitsFor = request.Id;
        return request.Packets;
    }

    protected override bool Answers(ReadOnlySpan<byte> payload)
    {
        var message = Downlink.Parser.ParseFrom(payload);
        if (message.BodyCase == Downlink.BodyOneofCase.Sealed)
        {
            if (down!.Open(message.Sealed) is not SealFault.None and var fault)
            {
                Tally.Fail($"{SerialNumber}: a downlink's seal: {fault}");
                return false;
            }

            message = Downlink.Parser.ParseFrom(message.Sealed.Body);
        }

        switch (message.BodyCase)
        {
            case Downlink.BodyOneofCase.Challenge:
                Prove(message.Challenge.HubNonce.Span);
                return false;
            case Downlink.BodyOneofCase.Welcome:
                requestEpoch = message.Welcome.RequestEpoch;
                return false;
            case Downlink.BodyOneofCase.Synced:
                BecomeReady();
                return false;
            case Downlink.BodyOneofCase.Outcome when message.Outcome.RequestId == waitsFor:
                if (message.Outcome.Result != Outcome.Types.Result.Approved)
                {
                    Tally.Fail($"{SerialNumber}: {message.Outcome.RequestId} was not approved: {message.Outcome}");
                }

                waitsFor = null;
                return true;
            case Downlink.BodyOneofCase.Refusal:
                HasClosed($"was refused: {message.Refusal}");
                return false;
            default:
                return false;
        }
    }

    private void Prove(ReadOnlySpan<byte> hubNonce)
    {
        var sealKey = HMACSHA256.HashData(key, Login.SealInput(SerialNumber, hubNonce, nonce));
        up = new Sealer(sealKey, SealDirection.Up);
        down = new Sealer(sealKey, SealDirection.Down);
        var mac = HMACSHA256.HashData(key, Login.ProofInput("mqtt", SerialNumber, HardwareId(SerialNumber), hubNonce, nonce));
        Publish(new Uplink { Proof = new Proof { Mac = ByteString.CopyFrom(mac) } }.ToByteArray());
    }

    private (string Id, byte[] Packets) Build()
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{requestEpoch}-{++counter:x8}");
        var before = shown is null ? [] : Sealed(new Uplink { OutcomeShown = new OutcomeShown { RequestId = shown, Revision = 1 } });
        shown = id;
        return (id, [.. before, .. Sealed(new Uplink
        {
            PaymentRequest = new PaymentRequest
            {
                RequestId = id,
                AmountFen = 1000 + (ulong)(counter % 50 * 100),
                Currency = "CNY",

                // A code is used once, whatever terminal scans it.
                PaymentCode = string.Create(CultureInfo.InvariantCulture, $"13{(long.Parse(SerialNumber[^6..], CultureInfo.InvariantCulture) * 1_000_000_000) + counter:d16}"),
                OrderNumber = id,
                TimeToLiveMs = 60_000,
            },
        })]);
    }

    private byte[] Sealed(Uplink inner) => Packets.Publish(Up, new Uplink { Sealed = up!.Seal(inner.ToByteString()) }.ToByteArray());
}
