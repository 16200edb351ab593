using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Alipay;

/// <summary>Registration of Alipay.</summary>
public static class AlipayRegistration
{
    /// <summary>The channel <c>alipay</c>, with its notices and bills.</summary>
    public static IServiceCollection AddAlipay(this IServiceCollection services)
    {
        services.AddChannelHttp();
        services.AddOptionsSection<AlipayOptions>(AlipayOptions.Section);
        services.AddSingleton<IValidateOptions<AlipayOptions>, AlipayOptionsValidator>();
        services.AddSingleton<AlipayClient>();
        services.AddSingleton<IPaymentChannel, AlipayChannel>();
        services.AddSingleton<IChannelNotices, AlipayNotices>();
        services.AddSingleton<IChannelBills, AlipayBills>();
        return services;
    }
}
