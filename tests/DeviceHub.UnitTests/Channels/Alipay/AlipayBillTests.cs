using System.IO.Compression;
using System.Text;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.Alipay;

public sealed class AlipayBillTests
{
    private const string Head = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";
    private const string Paid = "2019091622001458860515315453\t,d1\t,交易\t,下单测试,2019-09-16 10:55:16,2019-09-16 10:55:23,s1\t,店\t,op\t,\t,*津水(602***@qq.com)\t,10.00,9.50,0.00,0.00,0.00,0.50,0.00,,0.00\t,0.00,\t,-0.06,0.00,";
    private const string Back = "2019091622001458860515315453\t,d1\t,退款\t,下单测试,2019-09-16 10:55:16,2019-09-16 23:59:59,s1\t,店\t,op\t,\t,*津水(602***@qq.com)\t,-3.00,-2.50,0.00,0.00,0.00,-0.50,0.00,,0.00\t,0.00,d1r1\t,0.02,0.00,";
    private const string Commas = "2019091622001458860515315454\t,d2\t,交易\t,奶茶,大杯,\"热\",2019-09-16 11:00:00,2019-09-16 11:00:01,\t,\t,\t,\t,*a\t,0.01,0.01,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,0.00,0.00,";
    private const string Totals = "#交易合计：2笔，商家实收共9.51元，商家优惠共0.50元\r\n#退款合计：1笔，商家实收退款共-2.50元，商家优惠退款共0.50元\r\n#导出时间：[2019年09月17日 05:46:49]\r\n";
    private const string Summary = "#支付宝业务汇总查询\r\n#账号：[20880000000000000156]\r\n";

    private static readonly Encoding Gbk = CodePagesEncodingProvider.Instance.GetEncoding("GBK")!;
    private static readonly DateOnly Day = new(2019, 9, 16);

    [Fact]
    public async Task Bill_is_read_out_of_the_zip()
    {
        var stub = Stub(Zip(("汇总.csv", Summary), ("业务明细.csv", Bill())));

        var rows = await Read(stub);

        Assert.Equal(
            [
                new BillRow(6, BillRowKind.Payment, "d1", null, "2019091622001458860515315453", 1000, 6, Time("10:55:23")),
                new BillRow(7, BillRowKind.Refund, "d1", "d1r1", "2019091622001458860515315453", 300, 2, Time("23:59:59")),
                new BillRow(8, BillRowKind.Payment, "d2", null, "2019091622001458860515315454", 1, 0, Time("11:00:01")),
            ],
            rows);
        Assert.Contains("""{"bill_type":"trade","bill_date":"2019-09-16"}""", AlipayStub.Form(stub.Handler.Requests[0])["biz_content"], StringComparison.Ordinal);
        Assert.Equal("http://127.0.0.1:9/bill?id=1", stub.Handler.Requests[1].Address.AbsoluteUri);
    }

    [Theory]
    [InlineData("d1")]
    [InlineData("")]
    public async Task What_a_cancel_gave_back_has_no_refund_number(string number)
    {
        var rows = await Read(Stub(Zip(("1", Bill().Replace("d1r1", number, StringComparison.Ordinal)))));
        Assert.Equal((BillRowKind.Refund, "d1", null), (rows[1].Kind, rows[1].OrderNumber, rows[1].RefundNumber));
    }

    [Fact]
    public async Task Details_in_two_files_are_read_both()
    {
        var rows = await Read(Stub(Zip(("1", Bill()), ("2", Bill()))));
        Assert.Equal(6, rows.Count);
    }

    [Fact]
    public async Task Day_without_a_bill_is_said()
    {
        var fault = await Assert.ThrowsAsync<BillException>(() => Read(new AlipayStub(_ => AlipayStub.Failed("40004", "isp.bill_not_exist"))));
        Assert.True(fault.None);
        var refused = await Assert.ThrowsAsync<BillException>(() => Read(new AlipayStub(_ => AlipayStub.Failed("40002", "isv.invalid-signature"))));
        Assert.Equal((false, "Alipay gave no address of the bill: isv.invalid-signature"), (refused.None, refused.Message));
    }

    [Theory]
    [InlineData(",服务费（元）", "", "line 5 of Alipay's bill: the column 服务费（元） is missing")]
    [InlineData("9.51", "9.52", "line 10 of Alipay's bill: the totals of 交易 are 2 rows, 952 fen received and 50 fen discount; the rows are 2, 951 and 50")]
    [InlineData("合计：1笔", "合计：2笔", "line 11 of Alipay's bill: the totals of 退款 are 2 rows, -250 fen received and 50 fen discount; the rows are 1, -250 and -50")]
    [InlineData("\t,退款\t,", "\t,打赏\t,", "line 7 of Alipay's bill: '打赏' is no kind of trade that is known")]
    [InlineData(",10.00,", ",1e1,", "line 6 of Alipay's bill: the amount in column 12 cannot be read")]
    [InlineData("10:55:23", "10:55", "line 6 of Alipay's bill: 完成时间 is no time")]
    [InlineData("s1\t,店\t,op", "s1\t,店,1\t,op", "line 6 of Alipay's bill: the row has 26 columns, the head 25")]
    [InlineData("#退款合计", "#合计", "Alipay's bill ends at line 12 without its totals")]
    [InlineData("#支付宝业务明细查询", "#", "the bill's zip has no file that begins with #支付宝业务明细查询")]
    public async Task Bill_that_is_not_what_it_should_be_is_refused_with_the_line(string text, string instead, string says)
    {
        var bill = Bill();
        var at = bill.IndexOf(text, StringComparison.Ordinal);
        bill = bill[..at] + instead + bill[(at + text.Length)..];
        var fault = await Assert.ThrowsAsync<BillException>(() => Read(Stub(Zip(("业务明细.csv", bill)))));
        Assert.Equal(says, fault.Message);
    }

    [Fact]
    public async Task Bill_that_ends_in_the_middle_is_refused()
    {
        var bill = Bill();
        for (var length = bill.IndexOf("商户", StringComparison.Ordinal); length < bill.IndexOf("#导出", StringComparison.Ordinal) - 40; length += 97)
        {
            await Assert.ThrowsAsync<BillException>(() => Read(Stub(Zip(("业务明细.csv", bill[..length])))));
        }
    }

    [Fact]
    public async Task Truncated_or_damaged_zip_is_refused()
    {
        var zip = Zip(("业务明细.csv", Bill()));
        foreach (var length in new[] { 0, 10, zip.Length / 2, zip.Length - 5 })
        {
            var fault = await Assert.ThrowsAsync<BillException>(() => Read(Stub(zip[..length])));
            Assert.Contains("zip", fault.Message, StringComparison.Ordinal);
        }

        var damaged = zip.ToArray();
        damaged.AsSpan(200, 40).Fill(0xFF);
        var broken = await Assert.ThrowsAsync<BillException>(() => Read(Stub(damaged)));
        Assert.Contains("damaged", broken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Line_without_an_end_and_a_zip_of_many_files_are_refused()
    {
        var endless = await Assert.ThrowsAsync<BillException>(() => Read(Stub(Zip(("1", "#支付宝业务明细查询\r\n" + new string('x', 100_000))))));
        Assert.Contains("longer than", endless.Message, StringComparison.Ordinal);
        var many = await Assert.ThrowsAsync<BillException>(() => Read(Stub(Zip([.. Enumerable.Range(0, 17).Select(i => ($"{i}", Summary))]))));
        Assert.Equal("the bill's zip has 17 files", many.Message);
    }

    [Fact]
    public async Task Plain_address_of_a_bill_is_fetched_over_https()
    {
        var stub = Stub(Zip(("1", Bill())), "http://dwbillcenter.alipay.com/downloadBillFile.resource?bizType=trade");
        Assert.Equal(3, (await Read(stub)).Count);
        Assert.Equal("https://dwbillcenter.alipay.com/downloadBillFile.resource?bizType=trade", stub.Handler.Requests[1].Address.AbsoluteUri);
    }

    private static string Bill() => string.Join("\r\n",
        "#支付宝业务明细查询", "#账号：[20880000000000000156]", "#起始日期：[2019年09月16日 00:00:00]   终止日期：[2019年09月17日 00:00:00]",
        "#-----------------------------------------业务明细列表----------------------------------------", Head, Paid, Back, Commas,
        "#-----------------------------------------业务明细列表结束------------------------------------", Totals);

    private static DateTimeOffset Time(string time) => DateTimeOffset.Parse($"2019-09-16T{time}+08:00", System.Globalization.CultureInfo.InvariantCulture);

    private static byte[] Zip(params (string Name, string Text)[] files)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, true, Gbk))
        {
            foreach (var (name, text) in files)
            {
                using var file = zip.CreateEntry(name).Open();
                file.Write(Gbk.GetBytes(text));
            }
        }

        return bytes.ToArray();
    }

    private static AlipayStub Stub(byte[] zip, string address = "http://127.0.0.1:9/bill?id=1")
    {
        var text = $$"""{"code":"10000","msg":"Success","bill_download_url":"{{address}}"}""";
        return new AlipayStub(raw: request => ScriptedHandler.Bytes(request.Method == HttpMethod.Get
            ? zip
            : Encoding.UTF8.GetBytes($$"""{"alipay_data_dataservice_bill_downloadurl_query_response":{{text}},"sign":"{{AlipayStub.Sign(text)}}"}""")));
    }

    private static async Task<List<BillRow>> Read(AlipayStub stub)
    {
        var rows = new List<BillRow>();
        await foreach (var row in stub.Bills.Read(stub.Account, Day, TestContext.Current.CancellationToken))
        {
            rows.Add(row);
        }

        return rows;
    }
}
