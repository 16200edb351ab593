using DeviceHub.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Http;

/// <summary>What all channels that are called over HTTP share.</summary>
public static class ChannelHttpRegistration
{
    /// <summary>May be called by each channel.</summary>
    public static IServiceCollection AddChannelHttp(this IServiceCollection services)
    {
        if (services.Any(s => s.ServiceType == typeof(ChannelHttp)))
        {
            return services;
        }

        services.AddOptionsSection<ChannelHttpOptions>(ChannelHttpOptions.Section);
        services.AddSingleton<IValidateOptions<ChannelHttpOptions>, ChannelHttpOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ChannelHttp>();
        services.AddSingleton<ChannelAlarms>();
        return services;
    }
}
