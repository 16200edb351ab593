namespace DeviceHub.Dashboard.Terminals;

/// <summary>Names the texts of what terminals are: TerminalWords.resx.</summary>
public sealed class TerminalWords;
