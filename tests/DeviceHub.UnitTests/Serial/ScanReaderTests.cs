using DeviceHub.Gateways.Serial;

namespace DeviceHub.UnitTests.Serial;

public sealed class ScanReaderTests
{
    [Theory]
    [InlineData("134567890123456789\r\n", "134567890123456789")]
    [InlineData("134567890123456789\n\n\r134567890123456780\r", "134567890123456789 134567890123456780")]
    [InlineData("]Q1134567890123456789\r", "134567890123456789")]
    [InlineData("]C0281234567890123456\r", "281234567890123456")]
    [InlineData("]Q\r", "]Q")]
    [InlineData("\r\n\r\n", "")]
    public void Codes_end_with_CR_or_LF_and_lose_their_symbology_identifier(string printed, string codes) =>
        Assert.Equal(codes, Read(new ScanReader("", "", true), printed));

    [Fact]
    public void An_identifier_stays_where_it_is_wanted() => Assert.Equal("]Q11", Read(new ScanReader("", "", false), "]Q11\r"));

    [Theory]
    [InlineData("\u0002134567890123456789\u0003", "134567890123456789")]
    [InlineData("\u0002134567890123456789\u0003\r\n", "134567890123456789")]
    [InlineData("134567890123456789\u0003", "!Prefix")]
    [InlineData("\u000213456\u0003\u000278901\u0003", "13456 78901")]
    public void Prefix_and_suffix_are_taken_off_and_the_suffix_ends_a_code(string printed, string codes) =>
        Assert.Equal(codes, Read(new ScanReader("\u0002", "\u0003", true), printed));

    [Theory]
    [InlineData("1345678\u001D90\r", "!ControlCharacter")]
    [InlineData("13\0456\r134567890123456789\r", "!ControlCharacter 134567890123456789")]
    [InlineData("\u001B[31m13\r", "!ControlCharacter")]
    public void A_code_with_a_control_character_is_none(string printed, string codes) => Assert.Equal(codes, Read(new ScanReader("", "", true), printed));

    [Fact]
    public void What_is_far_too_long_is_dropped_whole() =>
        Assert.Equal("!TooLong 13", Read(new ScanReader("", "", true), new string('1', 5_000) + "\r13\r"));

    [Fact]
    public void What_stood_before_a_pause_is_no_part_of_the_next_code()
    {
        var reader = new ScanReader("", "", true);
        Assert.Equal("", Read(reader, "1345", at: 0));
        Assert.Equal("134567890123456789", Read(reader, "134567890123456789\r", at: 501));
        Assert.Equal("", Read(reader, "1345", at: 600));
        reader.Forget();
        Assert.Equal("678", Read(reader, "678\r", at: 601));
    }

    [Theory]
    [InlineData("\\x02", "\u0002"), InlineData("ab\\x0d\\x0A", "ab\r\n"), InlineData("", "")]
    public void Control_characters_in_options_are_written_as_xHH(string written, string read)
    {
        Assert.True(Escapes.TryRead(written, out var found));
        Assert.Equal(read, found);
    }

    [Theory]
    [InlineData("\\"), InlineData("\\x2"), InlineData("\\n"), InlineData("é"), InlineData("\\xFF")]
    public void Anything_else_after_a_backslash_is_refused(string written) => Assert.False(Escapes.TryRead(written, out _));

    private static string Read(ScanReader reader, string printed, long at = 0)
    {
        var codes = new List<string>();
        foreach (var character in printed)
        {
            if (reader.TryTake(character, at, out var code, out var fault))
            {
                codes.Add(fault == ScanFault.None ? code : "!" + fault);
            }
        }

        return string.Join(' ', codes);
    }
}
