namespace DeviceHub.Core.Merchants;

/// <summary>
/// A merchant's account at a channel, as it stood when it was read: a change makes a new instance, so that what is made of its keys can be
/// kept by the instance. Direct, under a service provider or through a bank: which settings say so is the channel's (<see cref="AccountField"/>).
/// </summary>
public sealed class ChannelAccount
{
    /// <summary>What ids of accounts begin with. Any other id in the ledger is a merchant's that had no account.</summary>
    public const string IdPrefix = "ca_";

    /// <summary>Ours; in the ledger with every attempt, so it is never used again.</summary>
    public required string Id { get; init; }

    public required string MerchantId { get; init; }

    /// <summary><see cref="Payments.IPaymentChannel.Name"/>.</summary>
    public required string Channel { get; init; }

    /// <summary>What of it may be read again: merchant numbers, application ids, public keys, certificates.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>What may never be read again (I9): API keys, private keys.</summary>
    public IReadOnlyDictionary<string, SecretText> Secrets { get; init; } = new Dictionary<string, SecretText>();

    /// <summary>When each secret was set.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> SecretsSince { get; init; } = new Dictionary<string, DateTimeOffset>();

    public AccountTerms Terms { get; init; } = new();

    /// <summary>Of its changes: from 1. 0: the merchant has no account, and this stands for the default channel.</summary>
    public long Version { get; init; }

    /// <summary>Null: not set.</summary>
    public string? Setting(string field) => Settings.GetValueOrDefault(field);

    /// <summary>Null: not set.</summary>
    public SecretText? Secret(string field) => Secrets.GetValueOrDefault(field);

    /// <summary>The next version, with these fields over its own; null takes one away.</summary>
    public ChannelAccount With(IReadOnlyDictionary<string, string?> fields, Func<string, bool> isSecret, DateTimeOffset now, AccountTerms? terms = null)
    {
        var (settings, secrets, since) = (new Dictionary<string, string>(Settings), new Dictionary<string, SecretText>(Secrets), new Dictionary<string, DateTimeOffset>(SecretsSince));
        foreach (var (name, value) in fields)
        {
            settings.Remove(name);
            secrets.Remove(name);
            since.Remove(name);
            if (value is not null && isSecret(name))
            {
                (secrets[name], since[name]) = (new SecretText(value), now);
            }
            else if (value is not null)
            {
                settings[name] = value;
            }
        }

        return new()
        {
            Id = Id, MerchantId = MerchantId, Channel = Channel, Settings = settings, Secrets = secrets, SecretsSince = since, Terms = terms ?? Terms, Version = Version + 1,
        };
    }

    public override string ToString() => $"{Channel} account {Id}";
}

/// <summary>One thing that a channel must or may know of an account. The API, the pages and the checks are made of these.</summary>
/// <param name="Name">Camel case, as the API has it.</param>
/// <param name="Pattern">The whole value matches it; null: any text up to <paramref name="MaxLength"/>.</param>
/// <param name="Says">What it is and where an operator finds it, in English.</param>
/// <param name="Identifies">
/// Whose account it is at the channel: once it is set nobody changes it, since orders are asked about where they were paid. A secret is renewed, and so
/// may be replaced, but not taken away.
/// </param>
public sealed record AccountField(string Name, AccountFieldKind Kind, bool Required, string Says, string? Pattern = null, int MaxLength = 128, bool Identifies = false)
{
    public bool IsSecret => Kind is AccountFieldKind.Secret or AccountFieldKind.PrivateKey;
}

public enum AccountFieldKind
{
    Text,

    /// <summary>Never shown again.</summary>
    Secret,

    /// <summary>PEM, PKCS#8 or PKCS#1; never shown again.</summary>
    PrivateKey,

    /// <summary>PEM, SubjectPublicKeyInfo.</summary>
    PublicKey,

    /// <summary>PEM, X.509.</summary>
    Certificate,
}

/// <summary>The accounts of all merchants, from memory: a payment asks for one with every call to a channel.</summary>
public interface IChannelAccounts
{
    /// <summary>Null: there never was one. A disabled account is found: what was begun with it is finished with it.</summary>
    ChannelAccount? Find(string id);
}
