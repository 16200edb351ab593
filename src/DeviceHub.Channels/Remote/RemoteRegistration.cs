using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Remote;

/// <summary>Registration of other companies' routing cores.</summary>
public static class RemoteRegistration
{
    /// <summary>The channel <c>remote</c>.</summary>
    public static IServiceCollection AddRemoteCore(this IServiceCollection services)
    {
        services.AddChannelHttp();
        services.AddOptionsSection<RemoteOptions>(RemoteOptions.Section);
        services.AddSingleton<IValidateOptions<RemoteOptions>, RemoteOptionsValidator>();
        services.AddSingleton<IPaymentChannel, RemoteChannel>();
        return services;
    }
}
