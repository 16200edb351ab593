using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace DeviceHub.Dashboard;

/// <summary>The admin's pages; section <c>Dashboard</c>.</summary>
public sealed class DashboardOptions
{
    public const string Section = "Dashboard";

    /// <summary>The zone of times and days on the pages, such as <c>Asia/Shanghai</c>; none: the machine's.</summary>
    public string? TimeZone { get; set; }

    /// <summary>Pages without their connection that are kept at most, each with its state in memory.</summary>
    [Range(1, 100_000)]
    public int MaxLostPages { get; set; } = 500;

    /// <summary>How long a page whose connection was lost is kept, so that it goes on where it was.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan KeepLostPage { get; set; } = TimeSpan.FromMinutes(3);

    internal TimeZoneInfo Zone => TimeZone is null ? TimeZoneInfo.Local : TimeZoneInfo.FindSystemTimeZoneById(TimeZone);
}

internal sealed class DashboardOptionsValidator : IValidateOptions<DashboardOptions>
{
    public ValidateOptionsResult Validate(string? name, DashboardOptions options) =>
        options.TimeZone is null || TimeZoneInfo.TryFindSystemTimeZoneById(options.TimeZone, out _)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Dashboard:TimeZone '{options.TimeZone}' is no zone of this machine; write one like Asia/Shanghai");
}
