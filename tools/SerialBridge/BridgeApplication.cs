using DeviceHub.Core;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Serial;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>The bridge's parts: the hub's own serial endpoint, with sessions that are a remote hub's.</summary>
internal static class BridgeApplication
{
    private static readonly string[] Sections = [RemoteHubOptions.Section, BridgeOptions.Section, SerialOptions.Section, "Logging"];

    /// <param name="file">JSON.</param>
    /// <param name="changes">Options as <c>Section:Name=value</c> that count more than the file's.</param>
    /// <exception cref="OptionsValidationException">What is wrong, in words.</exception>
    /// <exception cref="InvalidDataException">The file is no JSON.</exception>
    public static HostApplicationBuilder Builder(string file, IEnumerable<string> changes)
    {
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"{file} is not there");
        }

        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        try
        {
            builder.Configuration.AddJsonFile(Path.GetFullPath(file), optional: false, reloadOnChange: false);
        }
        catch (FormatException e)
        {
            throw new InvalidDataException($"{file}: {e.GetBaseException().Message}", e);
        }

        builder.Configuration.AddInMemoryCollection(changes.Select(Change));
        if (builder.Configuration.GetChildren().FirstOrDefault(s => !Sections.Contains(s.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new OptionsValidationException(unknown.Key, typeof(RemoteHubOptions), [$"{unknown.Key} is no section; there are {string.Join(", ", Sections)}"]);
        }

        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddSimpleConsole(console => console.SingleLine = true)
            .SetMinimumLevel(LogLevel.Warning)

            // The state that people are shown says it, too, and in their language.
            .AddFilter("DeviceHub.Gateways.Serial", LogLevel.Error);
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);
        services.AddOptionsSection<RemoteHubOptions>(RemoteHubOptions.Section)
            .Validate(o => o.Host.Length == 0 || Uri.CheckHostName(o.Host) != UriHostNameType.Unknown, "Hub:Host must be a name or an address, without a port")
            .Validate(o => !o.Tls || o.CaFile.Length == 0 || File.Exists(o.CaFile), "Hub:CaFile is not there");
        services.AddOptions<SerialOptions>().Validate(o => o.Ports.Count > 0, "Serial:Ports names no port");
        services.AddSingleton<BridgeState>();
        services.AddSingleton<HubRelay>();
        services.AddSingleton<ITerminalSessions>(s => s.GetRequiredService<HubRelay>());

        var own = new BridgeOptions();
        OptionsSection.Bind(builder.Configuration, BridgeOptions.Section, own);
        services.AddOptionsSection<BridgeOptions>(BridgeOptions.Section);
        services.AddSerialEndpoint(own.KeyFolder);
        return builder;
    }

    private static KeyValuePair<string, string?> Change(string text) => text.Split('=', 2) switch
    {
        [{ Length: > 0 } name, var value] => new(name, value),
        _ => throw new OptionsValidationException(text, typeof(RemoteHubOptions), [$"'{text}' is not Section:Name=value"]),
    };
}
