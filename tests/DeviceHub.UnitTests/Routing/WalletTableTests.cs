using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using Microsoft.Extensions.Options;

namespace DeviceHub.UnitTests.Routing;

public sealed class WalletTableTests
{
    [Theory]
    [InlineData("100000000000000000", Wallet.WeChat)]
    [InlineData("159999999999999999", Wallet.WeChat)]
    [InlineData("160000000000000000", Wallet.None)]
    [InlineData("13456789012345678", Wallet.None)]
    [InlineData("1345678901234567890", Wallet.None)]
    [InlineData("2500000000000000", Wallet.Alipay)]
    [InlineData("301234567890123456789012", Wallet.Alipay)]
    [InlineData("3012345678901234567890123", Wallet.None)]
    [InlineData("310000000000000000", Wallet.None)]
    [InlineData("6212345678901234567", Wallet.UnionPay)]
    [InlineData("621234567890123456", Wallet.None)]
    [InlineData("13456789012345678x", Wallet.None)]
    [InlineData("１３4567890123456789", Wallet.None)]
    [InlineData("1", Wallet.None)]
    [InlineData("", Wallet.None)]
    public void Code_belongs_to_a_wallet_by_its_first_digits_and_length(string code, Wallet wallet) => Assert.Equal(wallet, Of(new RoutingOptions(), code));

    [Fact]
    public void Longer_first_digits_split_what_two_digits_share()
    {
        var options = new RoutingOptions
        {
            Wallets = [Row("620000", "620999", Wallet.UnionPay), Row("621000", "629999", Wallet.Alipay), Row("61", "61", Wallet.WeChat)],
        };
        Assert.True(new RoutingOptionsValidator().Validate(null, options).Succeeded);
        Assert.Equal(Wallet.UnionPay, Of(options, "6209991234567890123"));
        Assert.Equal(Wallet.Alipay, Of(options, "6210001234567890123"));
        Assert.Equal(Wallet.WeChat, Of(options, "6110001234567890123"));
    }

    [Fact]
    public void Table_that_overlaps_is_refused_naming_the_two_rows()
    {
        var options = new RoutingOptions { Wallets = [Row("10", "15", Wallet.WeChat), Row("62", "62", Wallet.UnionPay), Row("1500", "1600", Wallet.Alipay)] };
        var result = new RoutingOptionsValidator().Validate(null, options);
        Assert.Equal(
            ["Routing:Wallets:0 (10-15 with 19 digits: WeChat) and Routing:Wallets:2 (1500-1600 with 19 digits: Alipay) overlap: one code would belong to both"],
            result.Failures!);
        options.Wallets[2].MinLength = options.Wallets[2].MaxLength = 20;
        Assert.True(new RoutingOptionsValidator().Validate(null, options).Succeeded);
    }

    [Fact]
    public void Row_that_says_nothing_is_refused_by_its_number()
    {
        Assert.Contains("Routing:Wallets:0", Fault(Row("1", "2", Wallet.WeChat)), StringComparison.Ordinal);
        Assert.Contains("From above To", Fault(Row("15", "10", Wallet.WeChat)), StringComparison.Ordinal);
        Assert.Contains("needs a Wallet", Fault(Row("10", "15", Wallet.None)), StringComparison.Ordinal);
        Assert.Contains("MinLength and MaxLength", Fault(new() { From = "10", To = "15", MinLength = 20, MaxLength = 18, Wallet = Wallet.WeChat }), StringComparison.Ordinal);
    }

    private static string Fault(WalletRow row) => Assert.Single(new RoutingOptionsValidator().Validate(null, new RoutingOptions { Wallets = [row] }).Failures!);

    private static WalletRow Row(string from, string to, Wallet wallet) => new() { From = from, To = to, MinLength = 19, MaxLength = 19, Wallet = wallet };

    private static Wallet Of(RoutingOptions options, string code) => new WalletTable(Options.Create(options)).Of(code);
}
