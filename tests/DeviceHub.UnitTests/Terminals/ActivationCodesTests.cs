using DeviceHub.Core.Terminals;

namespace DeviceHub.UnitTests.Terminals;

public sealed class ActivationCodesTests
{
    [Fact]
    public void Code_is_sixteen_characters_in_groups_and_never_prints_itself()
    {
        var code = ActivationCodes.Create();

        Assert.Matches("^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$", code.Reveal());
        Assert.Equal("****", code.ToString());
        Assert.NotEqual(code.Reveal(), ActivationCodes.Create().Reveal());
    }

    [Theory]
    [InlineData("abcd-efgh-jkmn-pqrs", "ABCDEFGHJKMNPQRS")]
    [InlineData(" ABCD EFGH JKMN PQRS ", "ABCDEFGHJKMNPQRS")]
    [InlineData("OIL0-0000-0000-0000", "0110000000000000")]
    [InlineData("ABCD-EFGH-JKMN-PQR", null)]
    [InlineData("ABCD-EFGH-JKMN-PQRST", null)]
    [InlineData("ABCD-EFGH-JKMN-PQRU", null)]
    [InlineData("", null)]
    public void Code_is_read_as_people_type_it(string typed, string? normal) =>
        Assert.Equal(normal, ActivationCodes.Normalise(new ActivationCode(typed)));
}
