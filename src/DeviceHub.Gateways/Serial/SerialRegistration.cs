using DeviceHub.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DeviceHub.Gateways.Serial;

/// <summary>Registration of the serial endpoint. Call it after Orleans: what is registered last stops first.</summary>
public static class SerialRegistration
{
    /// <param name="keyFolder">Where the keys of scanners' terminals are kept.</param>
    public static IServiceCollection AddSerialEndpoint(this IServiceCollection services, string keyFolder)
    {
        services.AddOptionsSection<SerialOptions>(SerialOptions.Section);
        services.AddSingleton<IValidateOptions<SerialOptions>, PortsAreRight>();
        services.TryAddSingleton(new UsbPorts());
        services.AddSingleton(new PortKeys(keyFolder));
        services.AddSingleton<SerialEndpoint>();
        services.AddHostedService(s => s.GetRequiredService<SerialEndpoint>());
        return services;
    }

    private sealed class PortsAreRight : IValidateOptions<SerialOptions>
    {
        public ValidateOptionsResult Validate(string? name, SerialOptions options) =>
            options.Fault() is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
    }
}
