using System.Globalization;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;

namespace DeviceHub.Tools.Seed;

/// <summary>Charges from tills: those that payments answered, and those that nobody scanned for.</summary>
internal sealed class ChargeWriter(FleetPlan plan, Dice dice, HubDatabase database)
{
    private const double UnscannedShare = 0.15;

    private readonly List<ChargeRow> rows = [];

    /// <summary>As the API makes them.</summary>
    public static string NewId(DateTimeOffset at, Dice dice) => string.Create(CultureInfo.InvariantCulture, $"c{at.ToUnixTimeMilliseconds():x11}{dice.Hex(6)}");

    /// <summary>A payment that answers one is in the ledger.</summary>
    public void Answered(PaymentState payment)
    {
        var made = payment.Accepted;
        var outcome = payment.Outcome;
        rows.Add(new ChargeRow
        {
            Id = made.ChargeId!,
            Sn = payment.Id.SerialNumber,
            MerchantId = made.MerchantId,
            StoreId = made.StoreId,
            OrderNumber = made.OrderNumber!,
            AmountFen = made.AmountFen,
            IdempotencyKey = "till-" + dice.Hex(8),
            MadeBy = "user:" + Names.Cashier(dice),
            CreatedAt = made.At.AddSeconds(-9),
            ExpiresAt = made.At.AddSeconds(111),
            CollectingAt = made.At.AddSeconds(-8),
            Stage = outcome is null ? ChargeStage.Paying : ChargeStage.Closed,
            Ended = outcome?.Result switch
            {
                null => ChargeEnd.None,
                PaymentResult.Approved => ChargeEnd.Paid,
                PaymentResult.Declined => ChargeEnd.Declined,
                PaymentResult.Refunded => ChargeEnd.Refunded,
                _ => ChargeEnd.NotCharged,
            },
            EndedAt = payment.FinalAt,
            Payment = payment.Id.ToString(),
            Revision = outcome?.Revision ?? 0,
            Version = 4,
        });
    }

    /// <summary>All of them, in one transaction, and the ones without a payment beside them.</summary>
    public int Write()
    {
        foreach (var answered in rows.Where(_ => dice.Chance(UnscannedShare)).ToList())
        {
            rows.Add(Unscanned(answered));
        }

        var db = database.Writes;
        db.Prepare("BEGIN IMMEDIATE").Run();
        foreach (var row in rows)
        {
            db.Prepare(
                """
                INSERT INTO charge(id, sn, merchant_id, store_id, order_number, amount_fen, idempotency_key, made_by, created_at, expires_at, stage, ended, collecting_at,
                  ended_at, payment, revision, due_at, version)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, NULL, ?17)
                """)
                .Bind(1, row.Id).Bind(2, row.Sn).Bind(3, row.MerchantId).Bind(4, row.StoreId).Bind(5, row.OrderNumber).Bind(6, row.AmountFen).Bind(7, row.IdempotencyKey)
                .Bind(8, row.MadeBy).Bind(9, row.CreatedAt).Bind(10, row.ExpiresAt).Bind(11, (long)row.Stage).Bind(12, (long)row.Ended).Bind(13, row.CollectingAt)
                .Bind(14, row.EndedAt).Bind(15, row.Payment).Bind(16, row.Revision).Bind(17, row.Version).Run();
        }

        db.Prepare("COMMIT").Run();
        return rows.Count;
    }

    private ChargeRow Unscanned(ChargeRow like)
    {
        var terminal = dice.Of(plan.Terminals);
        var at = like.CreatedAt - dice.Between(TimeSpan.FromMinutes(1), TimeSpan.FromHours(6));
        var end = dice.Of<ChargeEnd>([ChargeEnd.Cancelled, ChargeEnd.CancelledAtTerminal, ChargeEnd.Expired, ChargeEnd.Unreachable]);
        return new()
        {
            Id = NewId(at, dice),
            Sn = terminal.SerialNumber,
            MerchantId = terminal.Merchant.Id,
            StoreId = terminal.Store.Id,
            OrderNumber = string.Create(CultureInfo.InvariantCulture, $"{at:yyyyMMddHHmmss}{dice.Digits(5)}"),
            AmountFen = like.AmountFen,
            IdempotencyKey = "till-" + dice.Hex(8),
            MadeBy = "user:" + Names.Cashier(dice),
            CreatedAt = at,
            ExpiresAt = at.AddMinutes(2),
            CollectingAt = end == ChargeEnd.Unreachable ? null : at.AddSeconds(1),
            Stage = ChargeStage.Closed,
            Ended = end,
            EndedAt = at.AddSeconds(end == ChargeEnd.Unreachable ? 6 : 120),
            Version = 3,
        };
    }
}
