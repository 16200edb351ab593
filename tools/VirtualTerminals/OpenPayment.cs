using System.Diagnostics;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>A payment that a terminal holds as not final.</summary>
internal sealed class OpenPayment(string requestId, long amountFen, string code, string? orderNumber, TimeSpan timeToLive)
{
    private readonly long scanned = Stopwatch.GetTimestamp();

    public string RequestId => requestId;

    /// <summary>The session and time of the last send; a new session begins by asking.</summary>
    public TerminalSession? AskedIn { get; set; }

    public long AskedAt { get; set; }

    /// <summary>Not before; from a refusal that says so.</summary>
    public TimeSpan Wait { get; set; }

    /// <summary>Accepted, or in doubt: it is in the ledger, so it is asked about and not sent again.</summary>
    public bool InLedger { get; set; }

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TimeSpan Age => Stopwatch.GetElapsedTime(scanned);

    /// <summary>The request, or the question about it, with its age of now.</summary>
    public Uplink Ask() => InLedger
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
                TimeToLiveMs = (uint)timeToLive.TotalMilliseconds,
            },
        };
}
