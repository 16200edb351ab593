using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Terminals;

/// <summary>What holds for terminals unless their own record says otherwise; section <c>Terminals</c>.</summary>
public sealed class TerminalOptions
{
    public const string Section = "Terminals";

    /// <summary>The largest amount of one payment in fen; a terminal's own limit can only be lower. 1 to 100,000,000.</summary>
    [Range(1, 100_000_000)]
    public long MaxAmountFen { get; set; } = 5_000_000;

    /// <summary>How often a heartbeat is wanted, in seconds; told in the welcome. 30 to 3600.</summary>
    [Range(30, 3600)]
    public int HeartbeatIntervalSeconds { get; set; } = 300;

    /// <summary>How far a login token's time may be from the hub's, both ways, in seconds. 60 to 3600.</summary>
    [Range(60, 3600)]
    public int TokenLifetimeSeconds { get; set; } = 600;

    /// <summary>How old a payment that is final but not confirmed as shown may be to be told again at login, in days. 1 to 30.</summary>
    [Range(1, 30)]
    public int UnsettledDays { get; set; } = 7;

    /// <summary>How long a connected terminal without a sign of life keeps its grain in memory, in hours. 1 to 168.</summary>
    [Range(1, 168)]
    public int ConnectedIdleHours { get; set; } = 24;

    /// <summary>Of a terminal's heartbeats one is kept for charts in this time, in minutes. 1 to 1440.</summary>
    [Range(1, 1440)]
    public int HeartbeatSampleMinutes { get; set; } = 15;

    /// <summary>Pages that may look at one terminal at once; more see no live messages. 1 to 100.</summary>
    [Range(1, 100)]
    public int MaxWatchers { get; set; } = 10;

    /// <summary>Heartbeat intervals without a word after which a connected terminal counts as silent instead of responsive. 1 to 20.</summary>
    [Range(1, 20)]
    public int SilentAfterHeartbeats { get; set; } = 2;

    /// <summary>A terminal that has not said within this time that it has shown its last outcome does not count as payable, in seconds. 10 to 3600.</summary>
    [Range(10, 3600)]
    public int ShownWithinSeconds { get; set; } = 90;

    /// <summary>Terminals that one request may suspend or resume. 1 to 100,000.</summary>
    [Range(1, 100_000)]
    public int MaxBulk { get; set; } = 20_000;

    /// <summary>Models by name, case-sensitive. A model that is not listed seals. At most 1,000.</summary>
    [Required, MaxLength(1000)]
    public Dictionary<string, ModelOptions> Models { get; set; } = new(StringComparer.Ordinal);

    public bool Seals(string model) => !Models.TryGetValue(model, out var options) || options.Seals;
}

/// <summary>What holds for one model of terminal.</summary>
public sealed class ModelOptions
{
    /// <summary>Payment messages must be sealed, both ways.</summary>
    public bool Seals { get; set; } = true;

    /// <summary>The operator knows that this model does not seal and wants it in production all the same.</summary>
    public bool AllowUnsealedInProduction { get; set; }
}

/// <summary>Production refuses a model that does not seal, unless the operator says otherwise for that model.</summary>
public sealed class TerminalOptionsValidator(IHostEnvironment environment) : IValidateOptions<TerminalOptions>
{
    public ValidateOptionsResult Validate(string? name, TerminalOptions options)
    {
        foreach (var (model, settings) in options.Models)
        {
            if (model.Length is 0 or > 32)
            {
                return ValidateOptionsResult.Fail($"Terminals:Models: '{model}' is not a model's name of 1 to 32 characters");
            }

            if (environment.IsProduction() && settings is { Seals: false, AllowUnsealedInProduction: false })
            {
                return ValidateOptionsResult.Fail(
                    $"Terminals:Models:{model} does not seal its payments. Set Terminals:Models:{model}:AllowUnsealedInProduction=true to accept that, or remove it.");
            }
        }

        return ValidateOptionsResult.Success;
    }
}

/// <summary>Registration of terminals in a silo's host.</summary>
public static class TerminalRegistration
{
    public static IServiceCollection AddTerminals(this IServiceCollection services)
    {
        services.AddOptionsSection<TerminalOptions>(TerminalOptions.Section);
        services.AddSingleton<IValidateOptions<TerminalOptions>, TerminalOptionsValidator>();
        services.AddSingleton<TerminalDesk>();
        return services;
    }
}
