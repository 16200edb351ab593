using DeviceHub.Channels.Http;
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
        services.AddChannelHttp();
        services.AddSandboxBank();
        services.AddSingleton<IPaymentChannel>(provider =>
            provider.GetRequiredService<IOptions<SandboxOptions>>().Value is { Url: { } url }
                ? new SandboxHttpChannel(provider.GetRequiredService<ChannelHttp>(), url)
                : ActivatorUtilities.CreateInstance<SandboxChannel>(provider));
        services.AddSingleton<ITestChannel, SandboxTests>();
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
}
