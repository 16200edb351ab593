using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>Registration of Shouqianba.</summary>
public static class ShouqianbaRegistration
{
    /// <summary>
    /// The channel <c>shouqianba</c>, with its notices. It has no bills: their format is not documented publicly, so its accounts cannot be reconciled.
    /// </summary>
    public static IServiceCollection AddShouqianba(this IServiceCollection services)
    {
        services.AddChannelHttp();
        services.AddOptionsSection<ShouqianbaOptions>(ShouqianbaOptions.Section);
        services.AddSingleton<IValidateOptions<ShouqianbaOptions>, ShouqianbaOptionsValidator>();
        services.AddSingleton<ShouqianbaClient>();
        services.AddSingleton<ShouqianbaTerminals>();
        services.AddSingleton<ShouqianbaChannel>();
        services.AddSingleton<IPaymentChannel>(s => s.GetRequiredService<ShouqianbaChannel>());
        services.AddSingleton<IAccountActivation>(s => s.GetRequiredService<ShouqianbaChannel>());
        services.AddSingleton<IChannelNotices, ShouqianbaNotices>();
        return services;
    }
}
