using System.Text.Json;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>An account at the ChannelSandbox, from the file of accounts that it made.</summary>
internal sealed record ChannelOfHub(string Url, JsonElement Fields)
{
    public static ChannelOfHub Load(string url, string accountsFile, string name) =>
        new(url, JsonElement.Parse(File.ReadAllText(accountsFile)).GetProperty("hub").EnumerateArray().First(a => a.GetProperty("name").GetString() == name));

    public ChannelAccount Account(string merchantId) => new()
    {
        Id = ChannelAccount.IdPrefix + "bench",
        MerchantId = merchantId,
        Channel = Fields.GetProperty("channel").GetString()!,
        Settings = Fields.GetProperty("settings").EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetString()!),
        Secrets = Fields.GetProperty("secrets").EnumerateObject().ToDictionary(f => f.Name, f => new SecretText(f.Value.GetString()!)),
        Terms = new AccountTerms { Name = "Bench", Wallets = [Core.Payments.Wallet.WeChat] },
        Version = 1,
    };
}
