using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.UnitTests.Tools;

public sealed class DurationTests
{
    [Theory]
    [InlineData("500ms", 0.5, "500ms")]
    [InlineData("20s", 20, "20s")]
    [InlineData("20", 20, "20s")]
    [InlineData("90s", 90, "90s")]
    [InlineData("5m", 300, "5m")]
    [InlineData("1.5h", 5400, "90m")]
    public void Time_is_read_as_people_write_it_and_written_so(string text, double seconds, string written)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.Time.TotalSeconds);
        Assert.Equal(written, duration.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("5x")]
    [InlineData("s")]
    [InlineData("1e9s")]
    [InlineData("200h")]
    public void What_is_no_time_is_refused(string text) => Assert.False(Duration.TryParse(text, out _));
}
