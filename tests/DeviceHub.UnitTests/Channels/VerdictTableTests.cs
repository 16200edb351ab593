using DeviceHub.Channels;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels;

public sealed class VerdictTableTests
{
    [Fact]
    public void Table_that_overlaps_is_refused_by_name()
    {
        var fault = Assert.Throws<ArgumentException>(() => new VerdictTable(
            "t", new CodeRow("PAID", Verdict.Approved, DeclineReason.None, "x"), new CodeRow("OTHER", Verdict.Unknown, DeclineReason.None, "x"), new CodeRow("PAID", Verdict.Unknown, DeclineReason.None, "y")));
        Assert.Equal("t: the code PAID is in the table 2 times", fault.Message);
    }

    [Fact]
    public void Code_is_found_as_it_is_written_and_in_no_other_case()
    {
        var table = new VerdictTable("t", new CodeRow("PAID", Verdict.Approved, DeclineReason.None, "x"));
        Assert.Equal(Verdict.Approved, table.Find("PAID")!.Verdict);
        Assert.Null(table.Find("paid"));
        Assert.Null(table.Find("PAID "));
    }
}
