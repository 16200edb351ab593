using DeviceHub.Core;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Sandbox;

/// <summary>Registration of the Sandbox.</summary>
public static class SandboxRegistration
{
    /// <summary>The channel <c>sandbox</c>, with its bank in this process or behind <c>Sandbox:Url</c>.</summary>
    public static IServiceCollection AddSandbox(this IServiceCollection services)
    {
        services.AddSandboxBank();
        services.AddSingleton<IPaymentChannel>(provider =>
            provider.GetRequiredService<IOptions<SandboxOptions>>().Value is { Url: { } url }
                ? new SandboxHttpChannel(Client(url, TimeSpan.FromMinutes(5)), Client(url, TimeSpan.Zero))
                : ActivatorUtilities.CreateInstance<SandboxChannel>(provider));
        services.AddSingleton<IChannelBills>(provider =>
            new SandboxBills(provider.GetRequiredService<IOptions<SandboxOptions>>().Value.Url is null ? provider.GetRequiredService<SandboxBank>() : null));
        return services;
    }

    /// <summary>The bank alone; it opens its book when it is first asked for.</summary>
    public static IServiceCollection AddSandboxBank(this IServiceCollection services)
    {
        services.AddOptionsSection<SandboxOptions>(SandboxOptions.Section);
        services.AddSingleton<IValidateOptions<SandboxOptions>, SandboxOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<SandboxBank>();
        return services;
    }

    /// <summary>For the life of the process: bounded in connections, answer size and time.</summary>
    private static HttpClient Client(Uri url, TimeSpan connectionLifetime)
    {
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = 256,
            ConnectTimeout = TimeSpan.FromSeconds(3),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = connectionLifetime,
            AllowAutoRedirect = false,
            UseProxy = false,
        };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri(url.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = TimeSpan.FromSeconds(100),
            MaxResponseContentBufferSize = 64 * 1024,
        };
    }
}
