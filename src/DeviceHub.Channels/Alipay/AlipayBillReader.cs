using System.Globalization;
using System.Text.RegularExpressions;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Alipay;

/// <summary>
/// The details file: comment lines with <c>#</c>, a head of column names, a line for each trade with tabs after some values, and comment lines
/// with the totals, which are compared with the rows. Columns are found by their names, and a row that cannot be read whole is a fault.
/// </summary>
internal sealed partial class AlipayBillReader(StreamReader file)
{
    public const string Title = "#支付宝业务明细查询";

    private static readonly TimeSpan China = TimeSpan.FromHours(8);

    private readonly BillLines lines = new(file);
    private readonly Sums payments = new();
    private readonly Sums refunds = new();
    private Columns? columns;
    private Place place = Place.Head;

    private enum Place { Head, Rows, Totals }

    /// <summary>Null: it is at its end, and its totals are those of its rows.</summary>
    /// <exception cref="BillException">In words, with the line.</exception>
    public async ValueTask<BillRow?> Next(CancellationToken cancellationToken)
    {
        while (await lines.Next(cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            if (line[0] == '#')
            {
                Comment(line);
            }
            else if (place == Place.Head)
            {
                columns = new Columns(line.Split(','), At);
                place = Place.Rows;
            }
            else if (place == Place.Rows)
            {
                return Row(line);
            }
            else
            {
                throw At("there is a row after the end of the rows");
            }
        }

        if (place != Place.Totals || !payments.Told || !refunds.Told)
        {
            throw new BillException($"Alipay's bill ends at line {lines.Number} without its totals");
        }

        return null;
    }

    private void Comment(string line)
    {
        if (line.Contains("业务明细列表结束", StringComparison.Ordinal))
        {
            place = place == Place.Rows ? Place.Totals : throw At("the rows end before they began");
        }
        else if (place == Place.Totals && Totals().Match(line) is { Success: true } totals)
        {
            var sums = totals.Groups["kind"].Value == "交易" ? payments : refunds;
            sums.Compare(totals, At);
        }
    }

    private BillRow Row(string line)
    {
        var cells = columns!.Cells(line);
        if (cells.Length != columns.Count)
        {
            throw At($"the row has {cells.Length} columns, the head {columns.Count}");
        }

        var kind = Cell(columns.Kind) switch
        {
            "交易" => BillRowKind.Payment,
            "退款" => BillRowKind.Refund,
            var other => throw At($"'{other}' is no kind of trade that is known"),
        };
        (kind == BillRowKind.Payment ? payments : refunds).Add(Money(columns.Received), Money(columns.MerchantDiscount));
        if (!IsTime(Cell(columns.At), out var at))
        {
            throw At("完成时间 is no time");
        }

        var order = Cell(columns.Order);

        // What a cancel gave back has the order's own number, or none.
        var refund = Cell(columns.Refund);
        return new BillRow(
            lines.Number, kind, order, kind == BillRowKind.Refund && refund.Length > 0 && refund != order ? refund : null, Cell(columns.Transaction),
            Math.Abs(Money(columns.Amount)), Math.Abs(Money(columns.Fee)), new DateTimeOffset(at, China));

        string Cell(int column) => cells[column].Trim('\t', ' ');

        long Money(int column) => Yuan.TryReadSigned(Cell(column), out var fen) ? fen : throw At($"the amount in column {column + 1} cannot be read");
    }

    private static bool IsTime(string text, out DateTime at) =>
        DateTime.TryParseExact(text, "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out at);

    private BillException At(string what) => new($"line {lines.Number} of Alipay's bill: {what}");

    [GeneratedRegex("^#+(?<kind>交易|退款)合计：(?<count>[0-9]+)笔，商家实收(退款)?共(?<received>-?[0-9.]+)元，商家优惠(退款)?共(?<discount>-?[0-9.]+)元", RegexOptions.CultureInvariant)]
    private static partial Regex Totals();

    /// <summary>Of one kind of rows; compared with the bill's own line.</summary>
    private sealed class Sums
    {
        private int count;
        private long received;
        private long discount;

        public bool Told { get; private set; }

        public void Add(long receivedFen, long discountFen)
        {
            count++;
            received += receivedFen;
            discount += discountFen;
        }

        public void Compare(Match totals, Func<string, BillException> at)
        {
            Told = true;
            var says = totals.Groups;
            if (!int.TryParse(says["count"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var saidCount)
                || !Yuan.TryReadSigned(says["received"].ValueSpan, out var saidReceived) || !Yuan.TryReadSigned(says["discount"].ValueSpan, out var saidDiscount))
            {
                throw at("the totals cannot be read");
            }

            if ((saidCount, saidReceived, Math.Abs(saidDiscount)) != (count, received, Math.Abs(discount)))
            {
                throw at($"the totals of {says["kind"].Value} are {saidCount} rows, {saidReceived} fen received and {saidDiscount} fen discount; the rows are {count}, {received} and {discount}");
            }
        }
    }

    private sealed class Columns
    {
        public Columns(string[] head, Func<string, BillException> at)
        {
            var names = head.Select(h => h.Trim('\t', ' ', '\uFEFF')).ToList();
            Count = names.Count;
            Transaction = Find("支付宝交易号");
            Order = Find("商户订单号");
            Kind = Find("业务类型");
            Goods = Find("商品名称");
            Created = Find("创建时间");
            At = Find("完成时间");
            Amount = Find("订单金额（元）");
            Received = Find("商家实收（元）");
            MerchantDiscount = Find("商家优惠（元）");
            Refund = Find("退款批次号/请求号");
            Fee = Find("服务费（元）");

            int Find(string name) => names.IndexOf(name) is >= 0 and var column ? column : throw at($"the column {name} is missing");
        }

        public int Count { get; }

        public int Transaction { get; }

        public int Order { get; }

        public int Kind { get; }

        public int Goods { get; }

        public int Created { get; }

        public int At { get; }

        public int Amount { get; }

        public int Received { get; }

        public int MerchantDiscount { get; }

        public int Refund { get; }

        public int Fee { get; }

        /// <summary>Names of goods are anybody's, and commas in them are not always quoted: what is too much belongs there when the times then fit.</summary>
        public string[] Cells(string line)
        {
            var cells = line.Split(',');
            var more = cells.Length - Count;
            return more > 0 && Created == Goods + 1 && IsTime(cells[Created + more].Trim(), out _) && IsTime(cells[At + more].Trim(), out _)
                ? [.. cells[..Goods], string.Join(',', cells[Goods..(Created + more)]), .. cells[(Created + more)..]]
                : cells;
        }
    }
}
