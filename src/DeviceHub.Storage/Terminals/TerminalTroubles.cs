using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;

namespace DeviceHub.Storage;

/// <summary>
/// Which terminals' last payments speak against them. Only those have a row, so that a payment that goes well costs one look into a small table of the search file.
/// </summary>
internal static class TerminalTroubles
{
    /// <summary>In the transaction that writes the payment's row, after it.</summary>
    /// <param name="shownWithin">An outcome that was not shown counts only after this.</param>
    public static void Write(PreparedConnection db, long seq, PaymentState payment, TimeSpan shownWithin)
    {
        var sn = payment.Id.SerialNumber;
        switch (TerminalPresence.TroubleOf(payment))
        {
            case PaymentTrouble.None:
                db.Prepare("DELETE FROM terminal_trouble WHERE serial_number = ?1 AND payment_seq <= ?2").Bind(1, sn).Bind(2, seq).Run();
                break;
            case { } trouble:
                var from = trouble == PaymentTrouble.NotShown ? payment.FinalAt!.Value + shownWithin : payment.Accepted.At;

                // Of the terminal's last payment alone: an older one that is still in doubt says nothing any more. A test is no payment of the terminal's.
                db.Prepare(
                    $"""
                    INSERT INTO terminal_trouble(serial_number, payment_seq, request_id, trouble, counts_from)
                    SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM payment WHERE serial_number = ?1 AND accepted_at > ?6 AND {SqlText.NoTest})
                    ON CONFLICT(serial_number) DO UPDATE SET payment_seq = ?2, request_id = ?3, trouble = ?4, counts_from = ?5
                    """)
                    .Bind(1, sn).Bind(2, seq).Bind(3, payment.Id.RequestId).Bind(4, (long)trouble).Bind(5, from).Bind(6, payment.Accepted.At).Run();
                break;
            default:
                db.Prepare("DELETE FROM terminal_trouble WHERE serial_number = ?1 AND payment_seq = ?2").Bind(1, sn).Bind(2, seq).Run();
                break;
        }
    }
}
