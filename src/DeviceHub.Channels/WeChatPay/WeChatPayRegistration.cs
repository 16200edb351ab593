using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>Registration of WeChat Pay.</summary>
public static class WeChatPayRegistration
{
    /// <summary>The channels <c>wechat-v2</c> and <c>wechat-v3</c>, with their notices and bills. A <see cref="NoticeAddress"/> must be there.</summary>
    public static IServiceCollection AddWeChatPay(this IServiceCollection services)
    {
        services.AddChannelHttp();
        services.AddOptionsSection<WeChatPayOptions>(WeChatPayOptions.Section);
        services.AddSingleton<IValidateOptions<WeChatPayOptions>, WeChatPayOptionsValidator>();
        services.AddSingleton<WeChatV2Client>();
        services.AddSingleton<IPaymentChannel, WeChatV2Channel>();
        services.AddSingleton<IChannelNotices, WeChatV2Notices>();
        services.AddSingleton<IChannelBills, WeChatV2Bills>();
        services.AddSingleton<WeChatV3Client>();
        services.AddSingleton<IPaymentChannel, WeChatV3Channel>();
        services.AddSingleton<IChannelNotices, WeChatV3Notices>();
        services.AddSingleton<IChannelBills, WeChatV3Bills>();
        return services;
    }
}
