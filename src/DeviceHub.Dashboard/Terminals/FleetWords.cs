namespace DeviceHub.Dashboard.Terminals;

/// <summary>Names the texts of what terminals are: FleetWords.resx.</summary>
public sealed class FleetWords;
