using System.Text;
using DeviceHub.Core.People;

namespace DeviceHub.UnitTests.People;

/// <summary>Codes of authenticator apps, against RFC 6238's own table.</summary>
public sealed class TotpTests
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes("12345678901234567890");

    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Code_is_the_one_of_the_standard(long seconds, string code) => Assert.Equal(code, Totp.Code(Key, Totp.StepAt(At(seconds))));

    [Theory]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Code_is_taken_of_the_steps_around_now_alone(int away, bool taken)
    {
        var step = Totp.StepAt(At(1_800_000_000));
        Assert.Equal(taken ? step + away : null, Totp.Match(Key, Totp.Code(Key, step + away), At(1_800_000_000), 0));
    }

    [Fact]
    public void Code_is_not_taken_again_nor_one_before_it()
    {
        var now = At(1_800_000_000);
        var step = Totp.StepAt(now);
        Assert.Null(Totp.Match(Key, Totp.Code(Key, step), now, step));
        Assert.Null(Totp.Match(Key, Totp.Code(Key, step - 1), now, step));
        Assert.Equal(step + 1, Totp.Match(Key, Totp.Code(Key, step + 1), now, step));
    }

    [Theory]
    [InlineData("")]
    [InlineData("28708")]
    [InlineData("2870820")]
    [InlineData("二八七零八二")]
    [InlineData("abcdef")]
    public void What_is_no_code_is_not_taken(string code) => Assert.Null(Totp.Match(Key, code, At(59), 0));

    [Fact]
    public void Key_is_typed_in_base_32_and_read_again()
    {
        Assert.Equal("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Totp.ToBase32(Key));
        Assert.Equal(Key, Totp.FromBase32("gezd gnbv gy3t qojq gezd gnbv gy3t qojq"));
        Assert.Equal("MY", Totp.ToBase32("f"u8));
        Assert.Null(Totp.FromBase32("GEZDGNBV"));
        Assert.Null(Totp.FromBase32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBV"));
        Assert.Null(Totp.FromBase32("1EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    }

    [Fact]
    public void Address_for_the_app_names_hub_and_person() => Assert.Equal(
        "otpauth://totp/DeviceHub:wang%20li?secret=ABC&issuer=DeviceHub&digits=6&period=30", Totp.Address("DeviceHub", "wang li", "ABC"));

    private static DateTimeOffset At(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);
}
