using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>
/// Serves, on loopback and in the bench's own process, the bill of <see cref="BenchBooks"/> as WeChat Pay's version 2 has it: 27 columns, a
/// backtick before each value, totals at the end, gzipped. It is made once, before anything is measured.
/// </summary>
internal sealed class WeChatBillServer(WebApplication app) : IAsyncDisposable
{
    private const string Columns =
        "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
        + "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";

    private const string Totals = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

    public string Url => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<WeChatBillServer> Start(string folder, int rows)
    {
        var file = Path.Combine(folder, "bill.gz");
        Write(file, rows);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/pay/downloadbill", (HttpContext http) => http.Response.SendFileAsync(file));
        await app.StartAsync();
        return new WeChatBillServer(app);
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private static void Write(string file, int rows)
    {
        using var zip = new GZipStream(File.Create(file), CompressionLevel.Fastest);
        using var text = new StreamWriter(zip, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true)) { NewLine = "\r\n" };
        text.WriteLine(Columns);
        var (sum, fees) = (0L, 0L);
        for (var i = 0; i < rows; i++)
        {
            var row = BenchBooks.Billed(i, rows);
            var (fen, fee) = (row.Fen, row.Fen * BenchBooks.FeeBasisPoints / 10);
            (sum, fees) = (sum + fen, fees + fee);
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"`{row.At:yyyy-MM-dd HH:mm:ss},`wx0123456789abcdef,`{BenchBooks.Merchant},`0,`,`4200002{row.Number:d21},`{row.Order},`oUpF8uMuAJO_M2pxb1Q9zNjWe{row.Number:d5},`MICROPAY,`SUCCESS,`OTHERS,`CNY,`{Yuan(fen)},`0.00,`0,`0,`0.00,`0.00,`,`,`Noodles, no. {row.Number},`,`{Fee(fee)},`0.60%,`{Yuan(fen)},`0.00,`"));
        }

        text.WriteLine(Totals);
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"`{rows},`{Yuan(sum)},`0.00,`0.00,`{Fee(fees)},`{Yuan(sum)},`0.00"));
    }

    private static string Yuan(long fen) => (fen / 100m).ToString("0.00", CultureInfo.InvariantCulture);

    /// <param name="units">Hundred-thousandths of a yuan.</param>
    private static string Fee(long units) => (units / 100_000m).ToString("0.00000", CultureInfo.InvariantCulture);
}
