namespace DeviceHub.Dashboard.Terminals;

/// <summary>Names the texts of a terminal's page and its parts: TerminalTexts.resx.</summary>
public sealed class TerminalTexts;
