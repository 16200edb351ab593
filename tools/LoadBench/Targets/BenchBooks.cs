using System.Globalization;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>
/// A day of one account in two books. The ledger has as many payments as the bill has rows. In the bill, in an order of the channel's own, one row in
/// a hundred is another system's in place of ours, and one in a thousand has another amount.
/// </summary>
internal static class BenchBooks
{
    public const string Account = "ca_bench";
    public const string Merchant = "1900000109";
    public const int FeeBasisPoints = 60;

    public static readonly DateOnly Day = new(2026, 11, 20);

    public static DateTimeOffset At(int n, int payments) => BillDay.Start(Day).AddMilliseconds(n * (86_300_000.0 / payments));

    public static long Fen(int n) => (n % 10_000) + 1;

    public static string Order(int n, int payments) => PaymentDecisions.ChannelOrderNumber(Id(n), 1, At(n, payments));

    public static PaymentId Id(int n) => new("BENCH", n.ToString(CultureInfo.InvariantCulture));

    public static (int Number, string Order, long Fen, DateTimeOffset At) Billed(int row, int payments)
    {
        var n = (int)(row * 7919L % payments);
        return (n, IsForeign(n) ? "FOREIGN" + n.ToString(CultureInfo.InvariantCulture) : Order(n, payments), Fen(n) + (IsDearer(n) ? 1 : 0), At(n, payments));
    }

    public static long Matched(int payments) => Enumerable.Range(0, payments).LongCount(n => !IsForeign(n) && !IsDearer(n));

    private static bool IsForeign(int n) => n % 100 == 50;

    private static bool IsDearer(int n) => n % 1_000 == 3;
}
