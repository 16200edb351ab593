using System.Globalization;

namespace DeviceHub.Tools.Demo;

/// <param name="Duration">How long terminals scan; null: until Ctrl-C.</param>
/// <param name="DataFolder">Null: a new one that is deleted at the end.</param>
/// <param name="BadNetworkShare">0 to 1.</param>
internal sealed record DemoOptions(int Terminals, double BadNetworkShare, TimeSpan? Duration, DirectoryInfo? DataFolder, CultureInfo Language);
