namespace DeviceHub.Dashboard.People;

/// <summary>Words about people that several pages say: roles, and why something was not done.</summary>
public sealed class PersonWords;
