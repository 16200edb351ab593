using DeviceHub.Server.Api;

namespace DeviceHub.UnitTests.Hosting;

public sealed class CsvTextTests
{
    /// <param name="rows">That there are, in pages of 4.</param>
    [Theory]
    [InlineData(0, 10, false)]
    [InlineData(3, 3, false)]
    [InlineData(3, 2, true)]
    [InlineData(6, 10, false)]
    [InlineData(8, 8, false)]
    [InlineData(8, 6, true)]
    [InlineData(9, 8, true)]
    [InlineData(20, 6, true)]
    public async Task Rows_that_are_left_out_are_told_wherever_the_limit_is(int rows, int limit, bool told)
    {
        using var csv = new StringWriter { NewLine = "\n" };
        await csv.WriteRows(Page(0), last => Task.FromResult(Page(last + 1)), row => [$"{row}"], limit, "more", TestContext.Current.CancellationToken);

        Assert.Equal(
            [.. Enumerable.Range(0, Math.Min(rows, limit)).Select(r => $"{r}"), .. told ? (string[])["more"] : []],
            csv.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));

        IReadOnlyList<int> Page(int from) => [.. Enumerable.Range(from, Math.Clamp(rows - from, 0, 4))];
    }
}
