using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>
/// WeChat's bill of trades, the same in both versions: UTF-8, perhaps with a BOM; a line of column names; one line a trade with a backtick before each
/// value; a line of the totals' names; and a line of totals. Amounts are yuan with 2 decimals, fees with up to 5. A product's name may hold a comma,
/// so that fields are split where a comma and a backtick meet.
/// </summary>
internal static class WeChatBill
{
    /// <summary>A line has some 27 short values; the merchant's own text has at most 127 bytes.</summary>
    internal const int MaxLineBytes = 16 * 1024;

    /// <summary>Of a yuan: fees have that many decimals.</summary>
    private const int Unit = 100_000;

    private const int UnitsOfFen = Unit / 100;

    /// <param name="merchant">The number that every line must be of.</param>
    /// <param name="subMerchant">Under a service provider; lines of its other sub-merchants are left out, when the bill has them.</param>
    /// <exception cref="BillException">It is not what it should be.</exception>
    public static async IAsyncEnumerable<BillRow> Read(PipeReader reader, string merchant, string? subMerchant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var bill = new Reading(merchant, subMerchant);
        await foreach (var (line, isWhole) in Lines(reader, cancellationToken))
        {
            if (bill.Take(line, isWhole) is { } row)
            {
                yield return row;
            }
        }

        bill.End();
    }

    /// <summary>Each line, and whether its end was there: only the totals may do without.</summary>
    private static async IAsyncEnumerable<(string Line, bool IsWhole)> Lines(PipeReader reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var number = 1; ; )
        {
            var read = await reader.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                yield return (Text(buffer.Slice(0, end), number++), true);
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > MaxLineBytes || (read.IsCompleted && !buffer.IsEmpty))
            {
                yield return (Text(buffer, number), false);
            }

            if (read.IsCompleted)
            {
                yield break;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static string Text(ReadOnlySequence<byte> line, int number) => line.Length <= MaxLineBytes
        ? Encoding.UTF8.GetString(line).TrimEnd('\r')
        : throw new BillException($"line {number} of the bill is longer than {MaxLineBytes} bytes");

    /// <summary>The place in the file, and what its lines add up to.</summary>
    private sealed class Reading(string merchant, string? subMerchant)
    {
        private static readonly string[] Needed = ["交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "商户退款单号", "手续费", "订单金额", "申请退款金额"];

        /// <summary>Of the totals' names: the column that each adds up.</summary>
        private static readonly (string Total, string Column)[] Sums =
        [
            ("应结订单总金额", "应结订单金额"), ("退款总金额", "退款金额"), ("充值券退款总金额", "充值券退款金额"), ("手续费总金额", "手续费"), ("订单总金额", "订单金额"), ("申请退款总金额", "申请退款金额"),
        ];

        private readonly Dictionary<string, int> columns = new(StringComparer.Ordinal);
        private readonly long[] sums = new long[Sums.Length];

        /// <summary>Of <see cref="sums"/>: refunds that failed. Whether the totals have them is not documented.</summary>
        private readonly long[] failed = new long[Sums.Length];

        private string[]? totals;
        private bool ended;
        private int line;
        private int rows;

        public BillRow? Take(string text, bool isWhole)
        {
            line++;
            if (!isWhole && totals is null)
            {
                throw Cut();
            }

            if (line == 1)
            {
                Header(text.TrimStart('\uFEFF'));
                return null;
            }

            if (text.Length == 0 && ended)
            {
                return null;
            }

            if (ended)
            {
                throw Fault("stands after the totals");
            }

            if (totals is not null)
            {
                Totals(text, isWhole);
                return null;
            }

            if (text.TrimStart('`').StartsWith("总交易单数", StringComparison.Ordinal))
            {
                totals = [.. text.Split(',').Select(name => name.TrimStart('`'))];
                return null;
            }

            return Row(text);
        }

        public void End()
        {
            if (!ended)
            {
                throw new BillException($"the bill ends after line {line} without its totals: it is cut off");
            }
        }

        private void Header(string text)
        {
            var names = text.Split(',');
            for (var i = 0; i < names.Length; i++)
            {
                columns.TryAdd(names[i].TrimStart('`').Trim(), i);
            }

            if (Needed.FirstOrDefault(n => !columns.ContainsKey(n)) is { } missing)
            {
                throw Fault($"the column {missing} is missing");
            }
        }

        private BillRow? Row(string text)
        {
            var cells = Split(text);
            if (cells.Length != columns.Count)
            {
                throw Fault($"has {cells.Length} values, the first line names {columns.Count}");
            }

            rows++;
            var isFailed = columns.TryGetValue("退款状态", out var status) && cells[status] == "FAIL";
            for (var i = 0; i < Sums.Length; i++)
            {
                if (columns.TryGetValue(Sums[i].Column, out var column))
                {
                    var units = Yuan(cells[column], Sums[i].Column);
                    sums[i] += units;
                    failed[i] += isFailed ? units : 0;
                }
            }

            if (cells[columns["商户号"]] != merchant)
            {
                throw Fault("is of another merchant number (商户号)");
            }

            if (isFailed)
            {
                // No money moved.
                return null;
            }

            if (subMerchant is not null && columns.TryGetValue("特约商户号", out var sub) && cells[sub] != subMerchant)
            {
                return null;
            }

            var state = cells[columns["交易状态"]];
            var kind = state switch
            {
                "SUCCESS" => BillRowKind.Payment,
                "REFUND" or "REVOKED" => BillRowKind.Refund,
                _ => throw Fault($"has the state {ChannelAlarms.Shown(state)} (交易状态), which is not known"),
            };
            var amount = kind == BillRowKind.Payment ? "订单金额" : "申请退款金额";
            var fee = Yuan(cells[columns["手续费"]], "手续费");
            return new BillRow(
                line,
                kind,
                Needs(cells, "商户订单号"),

                // A reversal of a paid order is its refund, without a number of its own.
                state == "REFUND" && cells[columns["商户退款单号"]] is var refund and not ("" or "0") ? refund : null,
                Needs(cells, "微信订单号"),
                Fen(cells[columns[amount]], amount),
                (Math.Abs(fee) + (UnitsOfFen / 2)) / UnitsOfFen,
                WeChatText.BillTime(cells[columns["交易时间"]]) ?? throw Fault("交易时间 is not a time"));
        }

        private void Totals(string text, bool isWhole)
        {
            var cells = Split(text);
            if (cells.Length != totals!.Length)
            {
                throw Wrong($"has {cells.Length} totals, the line before names {totals.Length}");
            }

            for (var i = 0; i < cells.Length; i++)
            {
                if (totals[i] == "总交易单数")
                {
                    if (cells[i] != rows.ToString(CultureInfo.InvariantCulture))
                    {
                        throw Wrong($"总交易单数 says {ChannelAlarms.Words(cells[i])} trades, the bill has {rows}");
                    }
                }
                else if (Array.FindIndex(Sums, s => s.Total == totals[i]) is var sum and >= 0 && columns.ContainsKey(Sums[sum].Column)
                    && Yuan(cells[i], totals[i]) is var told && told != sums[sum] && told != sums[sum] - failed[sum])
                {
                    throw Wrong($"{totals[i]} says {ChannelAlarms.Words(cells[i])} yuan, the lines add up to {(decimal)sums[sum] / Unit:0.00###}");
                }
            }

            ended = true;

            BillException Wrong(string what) => isWhole ? Fault(what) : Cut();
        }

        private static string[] Split(string text) => text.StartsWith('`') ? text[1..].Split(",`") : text.Split(',');

        private string Needs(string[] cells, string column) => cells[columns[column]] is { Length: > 0 } value ? value : throw Fault($"{column} is empty");

        private long Fen(string text, string column)
        {
            var units = Yuan(text, column);
            return units >= 0 && units % UnitsOfFen == 0 ? units / UnitsOfFen : throw Fault($"{column} is no amount of whole fen");
        }

        /// <summary>In hundred-thousandths of a yuan.</summary>
        private long Yuan(string text, string column) =>
            decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var yuan)
            && Math.Abs(yuan) <= 1_000_000_000_000m && yuan * Unit is var units && units == Math.Truncate(units)
                ? (long)units
                : throw Fault($"{column} is not an amount in yuan");

        private BillException Cut() => new($"the bill ends inside line {line}: it is cut off");

        private BillException Fault(string what) => new($"line {line} of the bill {what}");
    }
}
