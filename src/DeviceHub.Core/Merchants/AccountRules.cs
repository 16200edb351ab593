using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Merchants;

/// <summary>What is wrong with an account that somebody wants to make or change, field by field. No fault repeats a value.</summary>
public static class AccountRules
{
    private const int MaxPemLength = 8192;
    private const int MaxWindows = 32;

    /// <param name="fault">Is told a field as the API names it, and what is wrong with it.</param>
    public static void Check(AccountTerms terms, IPaymentChannel channel, Action<string, string> fault)
    {
        That(terms.Name.Length is >= 1 and <= 64 && terms.Name == terms.Name.Trim() && !terms.Name.Any(char.IsControl), "name", "1 to 64 characters are needed");
        That(terms.Wallets.Count >= 1 && terms.Wallets.Distinct().Count() == terms.Wallets.Count, "wallets", "one or more are needed, each once");
        That(terms.Wallets.All(channel.Wallets.Contains), "wallets", $"{channel.Name} takes {string.Join(", ", channel.Wallets)}");
        That(terms.Priority is >= 1 and <= 1000, "priority", "1 to 1000; the lowest goes first");
        That(terms.Weight is >= 1 and <= 1000, "weight", "1 to 1000");
        That(terms.FeeBasisPoints is >= 0 and <= 1000, "feeBasisPoints", "0 to 1000 hundredths of a percent");
        That(terms.MinAmountFen is >= 1 and <= 100_000_000, "minAmountFen", "1 to 100000000");
        That(terms.MaxAmountFen is null || (terms.MaxAmountFen >= terms.MinAmountFen && terms.MaxAmountFen <= 100_000_000), "maxAmountFen", "minAmountFen to 100000000, or null");
        That(terms.DayLimitFen is null or (>= 1 and <= 100_000_000_000), "dayLimitFen", "1 to 100000000000, or null");
        if (terms.Schedule is { } schedule)
        {
            That(AccountSchedule.Find(schedule.TimeZone) is not null, "schedule.timeZone", $"there is no such time zone; China's is {AccountSchedule.ChinaName}");
            That(schedule.Windows.Count is >= 1 and <= MaxWindows, "schedule.windows", $"1 to {MaxWindows} are needed; without a schedule the account is always open");
            That(
                schedule.Windows.All(w => w.Days.Count is >= 1 and <= 7 && w.Days.All(Enum.IsDefined)), "schedule.windows", "each needs one or more days, monday to sunday");
        }

        void That(bool good, string field, string says)
        {
            if (!good)
            {
                fault(field, says);
            }
        }
    }

    /// <summary>The fields as they would be after the change.</summary>
    /// <param name="given">What is set now; what is not in it keeps its value.</param>
    /// <param name="has">Whether a field has a value after the change.</param>
    public static void Check(IPaymentChannel channel, IReadOnlyDictionary<string, string> given, Func<string, bool> has, DateTimeOffset now, Action<string, string> fault)
    {
        foreach (var field in channel.AccountFields)
        {
            if (given.TryGetValue(field.Name, out var value))
            {
                if ((Fault(field, value, now) ?? channel.FieldFault(field.Name, value)) is { } wrong)
                {
                    fault("fields." + field.Name, wrong);
                }
            }
            else if (field.Required && !has(field.Name))
            {
                fault("fields." + field.Name, "is needed: " + field.Says);
            }
        }

        foreach (var name in given.Keys.Where(n => channel.AccountFields.All(f => f.Name != n)))
        {
            fault("fields." + name, $"{channel.Name} has no such field; it has: {string.Join(", ", channel.AccountFields.Select(f => f.Name))}");
        }
    }

    /// <summary>
    /// An account stays the one that it is at the channel. Another merchant's account knows none of its orders, and "not found" would be
    /// believed of money that was taken.
    /// </summary>
    /// <param name="given">Fields that somebody sent; null takes one away.</param>
    public static void CheckIdentity(IPaymentChannel channel, ChannelAccount before, IReadOnlyDictionary<string, string?> given, Action<string, string> fault)
    {
        var identity = channel.AccountFields.Where(f => f.Identifies).ToList();
        if (identity.TrueForAll(f => before.Setting(f.Name) is null))
        {
            return;
        }

        foreach (var field in identity.Where(f => given.TryGetValue(f.Name, out var value)
            && (f.IsSecret ? value is null && before.Secret(f.Name) is not null : value != before.Setting(f.Name))))
        {
            fault("fields." + field.Name, "cannot be changed: orders are asked about and refunded where they were paid; make another account");
        }
    }

    /// <summary>Null: it is no certificate that can be read.</summary>
    public static X509Certificate2? Certificate(string pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string? Fault(AccountField field, string value, DateTimeOffset now)
    {
        var pem = field.Kind is AccountFieldKind.PrivateKey or AccountFieldKind.PublicKey or AccountFieldKind.Certificate;
        var max = pem ? Math.Max(field.MaxLength, MaxPemLength) : field.MaxLength;
        if (value.Length == 0 || value.Length > max)
        {
            return $"1 to {max} characters are needed: {field.Says}";
        }

        return field.Kind switch
        {
            AccountFieldKind.PrivateKey => PrivateKeyFault(value),
            AccountFieldKind.PublicKey => PublicKeyFault(value),
            AccountFieldKind.Certificate => CertificateFault(value, now),
            _ when value.Any(char.IsControl) || value != value.Trim() => "has spaces around it, line ends or control characters",
            _ when field.Pattern is { } pattern && !Regex.IsMatch(value, $"^(?:{pattern})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking) =>
                $"has another form than it must ({pattern}): {field.Says}",
            _ => null,
        };
    }

    private static string? PrivateKeyFault(string pem)
    {
        switch (Label(pem))
        {
            case null:
                return "is not in PEM form: it begins with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----";
            case "ENCRYPTED PRIVATE KEY":
                return "is protected by a password; take the password off first (openssl pkey -in FILE)";
            case "CERTIFICATE":
                return "is a certificate, not a private key";
            case "PUBLIC KEY" or "RSA PUBLIC KEY":
                return "is a public key, not a private key";
        }

        return RsaFault(pem, "private key");
    }

    private static string? PublicKeyFault(string pem) => Label(pem) switch
    {
        "PUBLIC KEY" => RsaFault(pem, "public key"),
        null => "is not in PEM form: it begins with -----BEGIN PUBLIC KEY-----",
        "CERTIFICATE" => "is a certificate, not a public key",
        { } label => $"is a {label}; it must begin with -----BEGIN PUBLIC KEY-----",
    };

    private static string? RsaFault(string pem, string what)
    {
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return rsa.KeySize < 2048 ? $"has only {rsa.KeySize} bits; 2048 are needed" : null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return $"is no RSA {what}, or it is damaged";
        }
    }

    private static string? CertificateFault(string pem, DateTimeOffset now)
    {
        if (Label(pem) is not "CERTIFICATE")
        {
            return Label(pem) is { } label ? $"is a {label}, not a certificate" : "is not in PEM form: it begins with -----BEGIN CERTIFICATE-----";
        }

        using var certificate = Certificate(pem);
        return certificate switch
        {
            null => "is damaged: it cannot be read as a certificate",
            _ when certificate.NotAfter <= now => $"expired on {Day(certificate.NotAfter)}; get a new one from the channel",
            _ when certificate.NotBefore > now.AddDays(1) => $"is not valid before {Day(certificate.NotBefore)}",
            _ => null,
        };
    }

    private static string? Label(string pem) => PemEncoding.TryFind(pem, out var found) ? pem[found.Label] : null;

    private static string Day(DateTime at) => at.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
