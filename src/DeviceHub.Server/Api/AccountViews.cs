using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using static DeviceHub.Server.Api.ChannelAccountsApi;

namespace DeviceHub.Server.Api;

/// <summary>Accounts as the API and the audit log show them.</summary>
internal sealed class AccountViews(PaymentChannels channels, RoutingCore routing, TimeProvider clock)
{
    public Account Of(ChannelAccount account)
    {
        var t = account.Terms;
        var (circuit, today) = routing.Standing(account, clock.GetUtcNow());
        var fields = channels.TryFind(account.Channel)?.AccountFields ?? [];
        return new(
            account.Id, account.MerchantId, account.Channel, t.Name, t.Enabled, t.Wallets, t.Priority, t.Weight, t.FeeBasisPoints, t.MinAmountFen, t.MaxAmountFen, t.DayLimitFen,
            AccountInput.Of(t.Schedule), [.. fields.Select(f => Of(f, account))], account.Version,
            new(circuit.Circuit, circuit.Calls, circuit.Failed, circuit.Slow, Math.Ceiling(circuit.OpenFor.TotalSeconds)), today);
    }

    /// <summary>For the audit log: all that may be read, and of what somebody sent only the fields' names.</summary>
    public static object Audited(ChannelAccount account, IEnumerable<string>? sent) => new { account.MerchantId, account.Channel, account.Terms, account.Settings, Changed = sent };

    /// <summary>Null: none of the account's certificates has expired.</summary>
    public AccountCheck? Expired(ChannelAccount account)
    {
        foreach (var field in channels.TryFind(account.Channel)?.AccountFields ?? [])
        {
            if (Of(field, account) is { Certificate: { Expired: true } certificate })
            {
                return new(false, $"{field.Name} expired on {certificate.Expires:yyyy-MM-dd}; get a new one from the channel");
            }
        }

        return null;
    }

    private Field Of(AccountField field, ChannelAccount account)
    {
        if (field.IsSecret)
        {
            var isSet = account.SecretsSince.TryGetValue(field.Name, out var since);
            return new(field.Name, isSet, null, isSet ? since : null, null);
        }

        var value = account.Setting(field.Name);
        return new(field.Name, value is not null, value, null, field.Kind == AccountFieldKind.Certificate && value is not null ? Certificate(value) : null);
    }

    private CertificateView? Certificate(string pem)
    {
        using var certificate = AccountRules.Certificate(pem);
        return certificate is null
            ? null
            : new(certificate.Subject, certificate.SerialNumber, new DateTimeOffset(certificate.NotAfter).ToUniversalTime(), certificate.NotAfter <= clock.GetUtcNow());
    }
}
