using DeviceHub.Core.Terminals;
using DeviceHub.Dashboard.Terminals;

namespace DeviceHub.UnitTests.Dashboard;

public sealed class TerminalsQueryTests
{
    [Fact]
    public void Address_says_all_that_is_looked_for_and_reads_back_the_same()
    {
        var query = new TerminalsQuery
        {
            Filter = new()
            {
                Text = "a&b=中", Presence = PresenceFilter.NotPayable, Status = TerminalStatus.Suspended, Model = "box", Firmware = "1.2", MerchantId = "m1", StoreId = "s1", Drifts = true,
            },
            Order = new(TerminalSort.LastSeen, true),
            At = 70,
        };
        Assert.Equal(query, TerminalsQuery.Parse(query.Address()[TerminalsQuery.Path.Length..]));
        Assert.Equal("/terminals", new TerminalsQuery().Address());
        Assert.Equal(0, query.With(new()).At);
        Assert.Equal(
            "/api/v1/terminals.csv?search=a%26b%3D%E4%B8%AD&presence=notPayable&status=suspended&model=box&firmware=1.2&merchantId=m1&storeId=s1&drift=true", query.ExportAddress());
    }

    [Theory]
    [InlineData("?state=2&status=7&sort=none&at=-4&drift=yes")]
    [InlineData("?state=&status=None&at=99999999999")]
    public void What_cannot_be_read_is_left_out(string query) => Assert.Equal(new TerminalsQuery(), TerminalsQuery.Parse(query));
}
