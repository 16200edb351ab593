using DeviceHub.Core.Payments;
using DeviceHub.Dashboard.Payments;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>The list's address: what it shows, and nothing that it cannot read.</summary>
public sealed class PaymentsQueryTests
{
    private static readonly TimeZoneInfo China = TimeZoneInfo.FindSystemTimeZoneById("Asia/Shanghai");

    [Theory]
    [InlineData("")]
    [InlineData("?q=%C2%A512.34")]
    [InlineData("?q=A%201%262&status=inDoubt&wallet=weChat&span=7d")]
    [InlineData("?terminal=T-0001&merchant=m1&store=s1&order=A-1&channel=wechat-v3&min=1.00&max=50000.00&attention=1&notShown=1&tests=0&after=1795507200000.17")]
    [InlineData("?result=approved&from=2026-11-24T08%3A00&to=2026-11-25T00%3A00&tests=1")]
    public void Address_is_read_as_it_is_written(string query) => Assert.Equal("/payments" + query, PaymentsQuery.Parse(query, China).Address(China));

    [Theory]
    [InlineData("?status=nonsense&wallet=none&span=1y&after=x&min=abc&max=-1&from=yesterday&attention=yes")]
    [InlineData("?status=99&wallet=7&min=0.001&q=%20%20")]
    public void What_cannot_be_read_is_left_out(string query) => Assert.True(PaymentsQuery.Parse(query, China).IsPlain);

    [Fact]
    public void Times_are_those_of_the_hubs_zone() =>
        Assert.Equal(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.FromHours(8)), PaymentsQuery.Parse("?from=2026-11-24T08:00", China).Filter.From);

    [Fact]
    public void Span_ends_now_and_the_file_has_what_the_list_has()
    {
        var now = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
        var query = PaymentsQuery.Parse("?span=1h&status=partlyRefunded&min=1.50&terminal=T-0001&after=5.1", China);
        Assert.Equal(now.AddHours(-1), query.Find(now).From);
        Assert.Equal("/api/v1/payments.csv?serialNumber=T-0001&status=partlyRefunded&minFen=150&from=2026-11-24T07%3A00%3A00.0000000Z", query.ExportAddress(China, now));
    }

    [Theory]
    [InlineData("12.34", 1234L)]
    [InlineData(" ¥1,200 ", 120000L)]
    [InlineData("0.5", 50L)]
    [InlineData("12.345", null)]
    [InlineData("-1", null)]
    [InlineData("1e3", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("9999999999", null)]
    public void Amount_is_read_as_people_type_it(string? yuan, long? fen) => Assert.Equal(fen, PaymentsQuery.Fen(yuan));
}
