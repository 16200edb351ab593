using System.Security.Cryptography;

namespace DeviceHub.Tools.ChannelSandbox.Accounts;

/// <summary>The merchants' side of the accounts, with the names of fields that DeviceHub's API has for them.</summary>
internal static class HubAccounts
{
    public static IEnumerable<HubAccount> Of(WeChatPlatform platform)
    {
        using var key = RSA.Create();
        key.ImportFromPem(platform.PrivateKey);
        var publicKey = key.ExportSubjectPublicKeyInfoPem();
        foreach (var merchant in platform.Merchants)
        {
            var subs = merchant.SubMerchants.Count > 0 ? merchant.SubMerchants.Keys.Select(s => (string?)s) : [null];
            foreach (var sub in subs)
            {
                var who = sub is null ? "direct" : "partner";
                var settings = new Dictionary<string, string> { ["mchId"] = merchant.MchId, ["appId"] = merchant.AppIds[0] };
                if (sub is not null)
                {
                    settings["subMchId"] = sub;
                }

                yield return new($"wechat-v2-{who}", "wechat-v2",
                    new Dictionary<string, string>(settings) { ["clientCertificate"] = merchant.Certificate },
                    new Dictionary<string, string> { ["apiKey"] = merchant.ApiKey, ["clientPrivateKey"] = merchant.PrivateKey });
                yield return new($"wechat-v3-{who}", "wechat-v3",
                    new Dictionary<string, string>(settings)
                    {
                        ["certificateSerial"] = AccountMaker.SerialNumber(merchant.Certificate),
                        ["platformPublicKeyId"] = platform.PublicKeyId,
                        ["platformPublicKey"] = publicKey,
                    },
                    new Dictionary<string, string> { ["privateKey"] = merchant.PrivateKey, ["apiV3Key"] = merchant.ApiV3Key });
            }
        }
    }

    public static IEnumerable<HubAccount> Of(AlipayPlatform platform, string alipayPublicKey)
    {
        foreach (var application in platform.Applications)
        {
            var settings = new Dictionary<string, string> { ["appId"] = application.AppId, ["alipayPublicKey"] = alipayPublicKey };
            var tokens = application.Authorizations.Count > 0 ? application.Authorizations.Keys.Select(t => (string?)t) : [null];
            foreach (var token in tokens)
            {
                var secrets = new Dictionary<string, string> { ["privateKey"] = application.PrivateKey };
                if (token is not null)
                {
                    secrets["appAuthToken"] = token;
                }

                yield return new(token is null ? "alipay-direct" : "alipay-partner", "alipay", settings, secrets);
            }
        }
    }

    public static IEnumerable<HubAccount> Of(ShouqianbaPlatform platform, string noticePublicKey) =>
        platform.Vendors.Select(vendor => new HubAccount("shouqianba", "shouqianba",
            new Dictionary<string, string> { ["vendorSn"] = vendor.VendorSn, ["appId"] = vendor.AppId, ["noticePublicKey"] = noticePublicKey },
            new Dictionary<string, string> { ["vendorKey"] = vendor.VendorKey, ["activationCode"] = vendor.Codes.Keys.First() }));
}
