using System.Text.Json;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>Accounts at the ChannelSandbox, from the file of accounts that it made. Of several each payment is drawn one, all with the same chance.</summary>
internal sealed record ChannelOfHub(string Url, IReadOnlyList<JsonElement> Fields)
{
    /// <param name="names">Of accounts, with commas between.</param>
    public static ChannelOfHub Load(string url, string accountsFile, string names)
    {
        var made = JsonElement.Parse(File.ReadAllText(accountsFile)).GetProperty("hub").EnumerateArray().ToList();
        return new(url, [.. names.Split(',').Select(name => made.First(a => a.GetProperty("name").GetString() == name))]);
    }

    public IEnumerable<ChannelAccount> Accounts(string merchantId) => Fields.Select((fields, n) => new ChannelAccount
    {
        Id = $"{ChannelAccount.IdPrefix}bench{n}",
        MerchantId = merchantId,
        Channel = fields.GetProperty("channel").GetString()!,
        Settings = fields.GetProperty("settings").EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetString()!),
        Secrets = fields.GetProperty("secrets").EnumerateObject().ToDictionary(f => f.Name, f => new SecretText(f.Value.GetString()!)),
        Terms = new AccountTerms { Name = $"Bench {n}", Wallets = [Core.Payments.Wallet.WeChat] },
        Version = 1,
    });
}
