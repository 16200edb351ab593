using System.Diagnostics;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>A payment that a terminal holds as not final, and when it asks the hub about it again.</summary>
internal sealed class OpenPayment(string requestId, long amountFen, string code, string? orderNumber, TerminalSetup setup, string? chargeId = null)
{
    private const int Doublings = 2;

    private readonly long scanned = Stopwatch.GetTimestamp();
    private TerminalSession? askedIn;
    private long askedAt;
    private int asked;

    /// <summary>Not before; from a refusal that says so.</summary>
    public TimeSpan Wait { get; set; }

    /// <summary>Accepted, or in doubt: it is in the ledger, so it is asked about and not sent again.</summary>
    public bool InLedger { get; set; }

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The till's charge that it answers; null: none.</summary>
    public string? ChargeId => chargeId;

    public TimeSpan Age => Stopwatch.GetElapsedTime(scanned);

    /// <summary>A new session begins by asking; in the same one it is asked again after 3, 6, 12, 12, ... s, or 30 s once it is accepted.</summary>
    public bool IsToAsk(TerminalSession session)
    {
        var every = Wait > TimeSpan.Zero ? Wait
            : InLedger ? setup.AskAfter
            : setup.RepeatAfter * (1 << Math.Min(Math.Max(asked - 1, 0), Doublings));
        return askedIn != session || Stopwatch.GetElapsedTime(askedAt) >= every;
    }

    /// <summary>The request, or the question about it, with its age of now.</summary>
    public Uplink Ask(TerminalSession session)
    {
        asked = askedIn == session ? asked + 1 : 1;
        (askedIn, askedAt, Wait) = (session, Stopwatch.GetTimestamp(), TimeSpan.Zero);
        return InLedger
            ? new Uplink { PaymentQuery = new PaymentQuery { RequestId = requestId } }
            : new Uplink
            {
                PaymentRequest = new PaymentRequest
                {
                    RequestId = requestId,
                    AmountFen = (ulong)amountFen,
                    Currency = "CNY",
                    PaymentCode = code,
                    OrderNumber = orderNumber ?? "",
                    AgeMs = (uint)Age.TotalMilliseconds,
                    TimeToLiveMs = (uint)setup.TimeToLive.TotalMilliseconds,
                    ChargeId = chargeId ?? "",
                },
            };
    }
}
