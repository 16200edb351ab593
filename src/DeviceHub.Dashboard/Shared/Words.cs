namespace DeviceHub.Dashboard.Shared;

/// <summary>Names the texts that several pages share: Words.resx.</summary>
public sealed class Words;
