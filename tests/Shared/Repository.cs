namespace DeviceHub.Tests;

/// <summary>The checked-out sources that these tests were built from.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "DeviceHub.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("DeviceHub.sln is in no folder above the tests");
        }

        return folder.FullName;
    }
}
