using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core;

/// <summary>How every section of options is read: a mistyped name, a value of another type and one out of range stop the start by name.</summary>
public static class OptionsSection
{
    /// <summary>Registers <typeparamref name="TOptions"/> from <paramref name="section"/>, checked at the start.</summary>
    public static OptionsBuilder<TOptions> AddOptionsSection<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        services.AddSingleton(new OptionsSectionName(section));
        services.AddSingleton<IValidateOptions<TOptions>>(new Ranges<TOptions>(section));
        return services.AddOptions<TOptions>()
            .Configure<IConfiguration>((options, configuration) => Bind(configuration, section, options))
            .ValidateOnStart();
    }

    /// <summary>Puts what is configured in <paramref name="section"/> over the defaults.</summary>
    /// <exception cref="OptionsValidationException">There is no such option, or the value is of another type.</exception>
    public static void Bind<TOptions>(IConfiguration configuration, string section, TOptions options)
        where TOptions : class
    {
        var values = configuration.GetSection(section);
        try
        {
            foreach (var value in values.GetChildren())
            {
                var property = typeof(TOptions).GetProperties().FirstOrDefault(p => p.CanWrite && p.Name.Equals(value.Key, StringComparison.OrdinalIgnoreCase))
                    ?? throw new OptionsValidationException(section, typeof(TOptions), [$"{section}:{value.Key} is no option of the hub"]);

                // The binder adds to an array that is there; what an operator writes is the whole list.
                if (property.PropertyType.IsArray)
                {
                    property.SetValue(options, Array.CreateInstance(property.PropertyType.GetElementType()!, 0));
                }
            }

            values.Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            // Of a list or a model the innermost one names the option and its value.
            var cause = e;
            while (cause.InnerException is InvalidOperationException inner)
            {
                cause = inner;
            }

            throw new OptionsValidationException(section, typeof(TOptions), [cause.InnerException is null ? $"{section}: {cause.Message}" : cause.Message]);
        }
    }

    /// <summary>The attributes of the options, told with their whole names.</summary>
    private sealed class Ranges<TOptions>(string section) : IValidateOptions<TOptions>
        where TOptions : class
    {
        public ValidateOptionsResult Validate(string? name, TOptions options)
        {
            var faults = new List<ValidationResult>();
            return Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true)
                ? ValidateOptionsResult.Success
                : ValidateOptionsResult.Fail(faults.Select(f => $"{section}:{string.Join(',', f.MemberNames)} is not right: {f.ErrorMessage}"));
        }
    }
}

/// <summary>One for each section that is registered, such as <c>Channels:Http</c>.</summary>
public sealed record OptionsSectionName(string Name);
