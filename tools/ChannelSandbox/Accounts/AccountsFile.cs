using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeviceHub.Tools.ChannelSandbox.Accounts;

/// <summary>
/// The accounts file: who is known at the channels, with the keys of both sides. <see cref="Hub"/> is the other side of the same accounts, in
/// the shape in which DeviceHub's API takes them. Everything in it is secret to somebody; it is for tests.
/// </summary>
internal sealed record AccountsFile
{
    public required WeChatPlatform WeChat { get; init; }

    public required AlipayPlatform Alipay { get; init; }

    public required ShouqianbaPlatform Shouqianba { get; init; }

    public IReadOnlyList<HubAccount> Hub { get; init; } = [];

    /// <exception cref="InvalidDataException">It cannot be used; the message says why.</exception>
    public static AccountsFile Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), AccountsJson.Readable.AccountsFile) ?? throw new JsonException("it is null");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    public void Save(string path)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(this, AccountsJson.Readable.AccountsFile);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(bytes);
    }
}

/// <param name="PublicKeyId">What merchants that verify with the platform's public key know it by.</param>
/// <param name="Certificate">For merchants that verify with the platform's certificate; the same key.</param>
internal sealed record WeChatPlatform(string PrivateKey, string PublicKeyId, string Certificate, IReadOnlyList<WeChatMerchant> Merchants);

/// <param name="Certificate">The merchant's API certificate, of v3 requests and of v2 calls that demand one.</param>
/// <param name="PrivateKey">The merchant's own; the sandbox does not need it.</param>
/// <param name="SubMerchants">Whom a service provider may act for: sub-merchant number to its application, which may be empty.</param>
internal sealed record WeChatMerchant(
    string MchId, IReadOnlyList<string> AppIds, string ApiKey, string ApiV3Key, string Certificate, string PrivateKey, IReadOnlyDictionary<string, string> SubMerchants)
{
    /// <summary>Payments with it are told here, too, when a request names no address of its own.</summary>
    public string? NotifyUrl { get; init; }
}

internal sealed record AlipayPlatform(string PrivateKey, IReadOnlyList<AlipayApplication> Applications);

/// <param name="PublicKey">The application's, given to Alipay.</param>
/// <param name="PrivateKey">The application's own; the sandbox does not need it.</param>
/// <param name="SellerId">The merchant's number (PID), begins with 2088.</param>
/// <param name="Authorizations">app_auth_token to the seller that it stands for.</param>
internal sealed record AlipayApplication(string AppId, string PublicKey, string PrivateKey, string SellerId, IReadOnlyDictionary<string, string> Authorizations);

/// <param name="NoticePrivateKey">Its notices are signed with it.</param>
internal sealed record ShouqianbaPlatform(string NoticePrivateKey, IReadOnlyList<ShouqianbaVendor> Vendors);

/// <param name="Codes">Activation code to how many terminals it activates.</param>
internal sealed record ShouqianbaVendor(string VendorSn, string VendorKey, string AppId, IReadOnlyDictionary<string, int> Codes);

/// <summary>As <c>POST /api/v1/channel-accounts</c> of a hub takes it, but for the merchant and the name.</summary>
internal sealed record HubAccount(string Name, string Channel, IReadOnlyDictionary<string, string> Settings, IReadOnlyDictionary<string, string> Secrets);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AccountsFile))]
internal sealed partial class AccountsJson : JsonSerializerContext
{
    /// <summary>Base64 in PEM as it is.</summary>
    public static AccountsJson Readable => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
