using DeviceHub.Core;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.Json;

namespace DeviceHub.Server.Hosting;

/// <summary>
/// Finds names outside of every section, which nobody reads: each section looks at its own. The environment is not looked at, since all programs of a
/// machine share it.
/// </summary>
internal static class OptionNames
{
    /// <summary>What .NET reads itself.</summary>
    private static readonly string[] Foreign =
        ["Logging", "AllowedHosts", "hostBuilder:reloadConfigOnChange", HostDefaults.EnvironmentKey, HostDefaults.ContentRootKey, HostDefaults.ApplicationKey];

    /// <summary>.NET passes over a word that is no <c>--name=value</c>, and over a name without a value.</summary>
    /// <exception cref="StartException">There is one.</exception>
    public static void Check(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var word = args[i];
            var isLong = word.StartsWith("--", StringComparison.Ordinal) || word.StartsWith('/');
            var isGood = word.Contains('=', StringComparison.Ordinal) ? isLong || !word.StartsWith('-') : isLong && ++i < args.Length;
            if (!isGood)
            {
                throw new StartException($"'{word}' is no option of the hub, or has no value: write --Section:Name=value");
            }
        }
    }

    /// <exception cref="StartException">The command line or appsettings.json has a name that is no option.</exception>
    public static void Check(IConfigurationRoot configuration, IServiceCollection services)
    {
        string[] sections = [.. services.Select(s => s.ImplementationInstance).OfType<OptionsSectionName>().Select(s => s.Name)];
        foreach (var provider in configuration.Providers.Where(p => p is CommandLineConfigurationProvider or JsonConfigurationProvider))
        {
            Check(provider, null, sections);
        }
    }

    private static void Check(IConfigurationProvider provider, string? above, string[] sections)
    {
        foreach (var key in provider.GetChildKeys([], above).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            var name = above is null ? key : ConfigurationPath.Combine(above, key);
            if (Foreign.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            var isSection = sections.Contains(name, StringComparer.OrdinalIgnoreCase);
            if (!isSection && !sections.Concat(Foreign).Any(s => s.StartsWith(name + ConfigurationPath.KeyDelimiter, StringComparison.OrdinalIgnoreCase)))
            {
                throw new StartException($"{name} is no option of the hub");
            }

            if (provider.TryGet(name, out var value) && !string.IsNullOrEmpty(value))
            {
                throw new StartException($"{name} is no option of the hub but a section of them: write {name}:Name");
            }

            if (!isSection)
            {
                Check(provider, name, sections);
            }
        }
    }
}
