using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.Alipay;

/// <summary>An account's keys, parsed once an instance. With public keys, or with certificates, whose numbers go with each request.</summary>
internal sealed class AlipayKeys
{
    private static readonly ConditionalWeakTable<ChannelAccount, AlipayKeys> ByAccount = [];

    private AlipayKeys()
    {
    }

    /// <summary>Of the application: signs what is sent.</summary>
    public RsaKey? Application { get; private init; }

    /// <summary>Of Alipay: checks what comes.</summary>
    public RsaKey? Alipay { get; private init; }

    /// <summary>Null: the account works with public keys.</summary>
    public string? ApplicationCertificate { get; private init; }

    public string? RootCertificates { get; private init; }

    /// <summary>Why nothing can be sent or believed, in words; null: it can.</summary>
    public string? Fault { get; private init; }

    /// <summary>Whose fault it is.</summary>
    public string? FaultField { get; private init; }

    private DateTimeOffset ValidUntil { get; init; } = DateTimeOffset.MaxValue;

    public static AlipayKeys Of(ChannelAccount account) => ByAccount.GetValue(account, Read);

    /// <summary>That a certificate's time is over; null: it is not.</summary>
    public string? ExpiredAt(DateTimeOffset now) =>
        now < ValidUntil ? null : string.Create(CultureInfo.InvariantCulture, $"a certificate expired at {ValidUntil.UtcDateTime:yyyy-MM-dd HH:mm}Z");

    /// <summary>How Alipay names a certificate: MD5 of its issuer, as RFC 2253 writes it, and its number in decimal.</summary>
    public static string CertificateNumber(X509Certificate2 certificate)
    {
        var issuer = string.Join(',', certificate.IssuerName.EnumerateRelativeDistinguishedNames().Select(part =>
        {
            var type = part.GetSingleElementType();
            return $"{ShortName(type)}={Escape(part.GetSingleElementValue() ?? "")}";
        }));
        var number = new BigInteger(certificate.SerialNumberBytes.Span, isUnsigned: false, isBigEndian: true);
#pragma warning disable CA5351 // Alipay's name for a certificate; nothing is protected by it.
        return Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(issuer + number.ToString(CultureInfo.InvariantCulture))));
#pragma warning restore CA5351
    }

    /// <summary>Of all root certificates with an RSA signature, in their order.</summary>
    public static string RootNumber(string pem)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(pem);
        return string.Join('_', roots
            .Where(c => c.SignatureAlgorithm.Value?.StartsWith("1.2.840.113549.1.1.", StringComparison.Ordinal) == true)
            .Select(CertificateNumber));
    }

    private static AlipayKeys Read(ChannelAccount account)
    {
        var what = AlipayAccount.PrivateKey;
        try
        {
            if (account.Secret(AlipayAccount.PrivateKey) is not { } privateKey)
            {
                return Wrong(what, $"the account has no {AlipayAccount.PrivateKey}");
            }

            var application = RsaKey.FromPem(privateKey.Reveal());
            if (account.Setting(AlipayAccount.AppCertificate) is not { } appPem)
            {
                what = AlipayAccount.PublicKey;
                if (account.Setting(AlipayAccount.PublicKey) is not { } publicKey)
                {
                    return Wrong(what, $"the account has neither {AlipayAccount.PublicKey} nor {AlipayAccount.AppCertificate}");
                }

                return new AlipayKeys { Application = application, Alipay = RsaKey.FromPem(publicKey) };
            }

            what = AlipayAccount.AppCertificate;
            var appCertificate = X509Certificate2.CreateFromPem(appPem);
            using (var certified = appCertificate.GetRSAPublicKey())
            {
                if (certified is null || !application.IsPairOf(certified))
                {
                    return Wrong(what, $"{AlipayAccount.AppCertificate} is not the certificate of {AlipayAccount.PrivateKey}");
                }
            }

            what = AlipayAccount.AlipayCertificate;
            var alipayCertificate = X509Certificate2.CreateFromPem(account.Setting(AlipayAccount.AlipayCertificate));
            what = AlipayAccount.RootCertificate;
            var roots = RootNumber(account.Setting(AlipayAccount.RootCertificate) ?? "");
            if (roots.Length == 0)
            {
                return Wrong(what, $"{AlipayAccount.RootCertificate} has no RSA certificate: an application with certificates needs it");
            }

            var until = appCertificate.NotAfter < alipayCertificate.NotAfter ? appCertificate.NotAfter : alipayCertificate.NotAfter;
            return new AlipayKeys
            {
                Application = application,
                Alipay = RsaKey.Of(alipayCertificate),
                ApplicationCertificate = CertificateNumber(appCertificate),
                RootCertificates = roots,
                ValidUntil = until,
            };
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Not the exception's own text: it could quote the key.
            return Wrong(what, $"{what} cannot be read");
        }
    }

    private static AlipayKeys Wrong(string field, string fault) => new() { Fault = fault, FaultField = field };

    private static string ShortName(Oid type) => type.Value switch
    {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.25" => "DC",
        "0.9.2342.19200300.100.1.1" => "UID",
        var other => other ?? "",
    };

    private static string Escape(string value)
    {
        var text = new StringBuilder(value.Length);
        foreach (var c in value)
        {
            if (c is ',' or '+' or '"' or '\\' or '<' or '>' or ';')
            {
                text.Append('\\');
            }

            text.Append(c);
        }

        return text.ToString();
    }
}
