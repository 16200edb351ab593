using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Merchants;

public sealed class AccountRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);
    private static readonly RSA Key = RSA.Create(2048);

    [Fact]
    public void Account_that_is_whole_has_no_fault() => Assert.Empty(Faults(Whole()));

    [Fact]
    public void Account_without_a_key_is_refused_and_told_what_it_is()
    {
        var fields = Whole();
        fields.Remove("key");
        Assert.Equal(["fields.key: is needed: The private key."], Faults(fields));
        Assert.Empty(Faults(fields, has: "key"));
    }

    [Fact]
    public void Field_that_the_channel_does_not_have_is_named() =>
        Assert.Equal(["fields.kee: keyed has no such field; it has: number, apiKey, key, public, certificate, sub, token"], Faults(Whole("kee", "x")));

    [Theory]
    [InlineData("number", "12345", "has another form")]
    [InlineData("number", "1234567890 ", "has spaces")]
    [InlineData("number", "", "1 to 128 characters")]
    [InlineData("apiKey", "line\nend", "line ends")]
    [InlineData("key", "MIIEvQIBADANBg", "not in PEM form")]
    [InlineData("key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "damaged")]
    [InlineData("public", "MIIEvQIBADANBg", "not in PEM form")]
    [InlineData("certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "damaged")]
    public void Value_that_cannot_be_right_is_refused_in_words(string field, string value, string says)
    {
        var fault = Assert.Single(Faults(Whole(field, value)));
        Assert.StartsWith("fields." + field, fault, StringComparison.Ordinal);
        Assert.Contains(says, fault, StringComparison.Ordinal);
        Assert.True(value.Length == 0 || !fault.Contains(value, StringComparison.Ordinal), "it repeats the value");
    }

    [Fact]
    public void Wrong_kind_of_PEM_is_called_by_its_name()
    {
        Assert.Contains("is a public key, not a private key", Assert.Single(Faults(Whole("key", Key.ExportSubjectPublicKeyInfoPem()))), StringComparison.Ordinal);
        Assert.Contains("is a certificate, not a private key", Assert.Single(Faults(Whole("key", Certificate(Now.AddDays(-1), Now.AddYears(1))))), StringComparison.Ordinal);
        Assert.Contains("password", Assert.Single(Faults(Whole(
            "key", Key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1000))))), StringComparison.Ordinal);
        Assert.Contains("is a PRIVATE KEY", Assert.Single(Faults(Whole("public", Key.ExportPkcs8PrivateKeyPem()))), StringComparison.Ordinal);
        Assert.Contains("is a PUBLIC KEY, not a certificate", Assert.Single(Faults(Whole("certificate", Key.ExportSubjectPublicKeyInfoPem()))), StringComparison.Ordinal);
        using var small = RSA.Create(1024);
        Assert.Contains("only 1024 bits", Assert.Single(Faults(Whole("key", small.ExportPkcs8PrivateKeyPem()))), StringComparison.Ordinal);
        Assert.Empty(Faults(Whole("key", Key.ExportRSAPrivateKeyPem())));
    }

    [Fact]
    public void Expired_certificate_is_refused_with_its_day()
    {
        Assert.Equal(["fields.certificate: expired on 2026-11-25; get a new one from the channel"], Faults(Whole("certificate", Certificate(Now.AddYears(-1), Now.AddHours(-20)))));
        Assert.Contains("not valid before 2026-12-06", Assert.Single(Faults(Whole("certificate", Certificate(Now.AddDays(10), Now.AddYears(1))))), StringComparison.Ordinal);
    }

    [Fact]
    public void Account_stays_the_one_that_it_is_at_the_channel()
    {
        var before = new ChannelAccount { Id = "ca_1", MerchantId = "M1", Channel = "keyed", Settings = new Dictionary<string, string> { ["number"] = "1234567890" } };
        const string says = "cannot be changed: orders are asked about and refunded where they were paid; make another account";

        Assert.Equal([$"fields.number: {says}"], Faults(("number", "1234567891")));
        Assert.Equal([$"fields.number: {says}"], Faults(("number", null)));
        Assert.Equal([$"fields.sub: {says}"], Faults(("sub", "1")));
        Assert.Empty(Faults(("number", "1234567890"), ("key", "another"), ("sub", null), ("token", null)));
        Assert.Empty(Faults(("token", "first")));
        before = before.With(new Dictionary<string, string?> { ["token"] = "first" }, name => name == "token", Now);
        Assert.Empty(Faults(("token", "renewed")));
        Assert.Equal([$"fields.token: {says}"], Faults(("token", null)));
        before = new ChannelAccount { Id = "ca_1", MerchantId = "M1", Channel = "keyed" };
        Assert.Empty(Faults(("number", "1234567891"), ("sub", "1")));

        List<string> Faults(params (string Name, string? Value)[] given)
        {
            var faults = new List<string>();
            AccountRules.CheckIdentity(new Keyed(), before, given.ToDictionary(g => g.Name, g => g.Value), (field, fault) => faults.Add($"{field}: {fault}"));
            return faults;
        }
    }

    [Fact]
    public void Terms_that_cannot_be_are_refused_by_field()
    {
        var faults = new List<string>();
        var terms = new AccountTerms
        {
            Name = " ", Wallets = [Wallet.WeChat, Wallet.WeChat], Priority = 0, Weight = 0, FeeBasisPoints = 1001, MinAmountFen = 10, MaxAmountFen = 9, DayLimitFen = 0,
            Schedule = new("Asia/Shangai", []),
        };
        AccountRules.Check(terms, new Keyed(), (field, _) => faults.Add(field));
        Assert.Equal(["name", "wallets", "priority", "weight", "feeBasisPoints", "maxAmountFen", "dayLimitFen", "schedule.timeZone", "schedule.windows"], faults);
        faults.Clear();
        AccountRules.Check(new AccountTerms { Name = "A", Wallets = [Wallet.UnionPay] }, new Keyed(), (field, fault) => faults.Add($"{field}: {fault}"));
        Assert.Equal(["wallets: keyed takes WeChat"], faults);
    }

    private static Dictionary<string, string> Whole(string? field = null, string? value = null)
    {
        var whole = new Dictionary<string, string>
        {
            ["number"] = "1234567890", ["apiKey"] = "0123456789abcdef", ["key"] = Key.ExportPkcs8PrivateKeyPem(), ["public"] = Key.ExportSubjectPublicKeyInfoPem(),
            ["certificate"] = Certificate(Now.AddDays(-1), Now.AddYears(1)),
        };
        if (field is not null)
        {
            whole[field] = value!;
        }

        return whole;
    }

    private static List<string> Faults(Dictionary<string, string> given, string? has = null)
    {
        var faults = new List<string>();
        AccountRules.Check(new Keyed(), given, name => name == has, Now, (field, fault) => faults.Add($"{field}: {fault}"));
        return faults;
    }

    private static string Certificate(DateTimeOffset from, DateTimeOffset to)
    {
        var request = new CertificateRequest("CN=1234567890", Key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(from, to);
        return certificate.ExportCertificatePem();
    }

    /// <summary>A channel that is never called.</summary>
    private sealed class Keyed : IPaymentChannel
    {
        public string Name => "keyed";

        public IReadOnlyList<Wallet> Wallets => [Wallet.WeChat];

        public IReadOnlyList<AccountField> AccountFields { get; } =
        [
            new("number", AccountFieldKind.Text, true, "The merchant number.", "[0-9]{10}", Identifies: true),
            new("apiKey", AccountFieldKind.Secret, true, "The API key."),
            new("key", AccountFieldKind.PrivateKey, true, "The private key."),
            new("public", AccountFieldKind.PublicKey, false, "The channel's public key."),
            new("certificate", AccountFieldKind.Certificate, false, "The client certificate."),
            new("sub", AccountFieldKind.Text, false, "The sub-merchant's number.", Identifies: true),
            new("token", AccountFieldKind.Secret, false, "The merchant's token.", Identifies: true),
        ];

        public Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
