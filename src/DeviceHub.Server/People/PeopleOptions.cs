using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Server.People;

/// <summary>People's accounts and sessions; section <c>People</c>.</summary>
public sealed class PeopleOptions
{
    public const string Section = "People";

    /// <summary>People that may exist.</summary>
    [Range(1, 1000)]
    public int MaxPeople { get; set; } = 200;

    /// <summary>Open sessions of one person; a new one ends the one that was not used for longest.</summary>
    [Range(1, 200)]
    public int MaxSessions { get; set; } = 20;

    /// <summary>A session ends after this, however much it is used.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "365.00:00:00")]
    public TimeSpan SessionMaxAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long an ended session is kept.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan SessionHistory { get; set; } = TimeSpan.FromDays(30);
}
