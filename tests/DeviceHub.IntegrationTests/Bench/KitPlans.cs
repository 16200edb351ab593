using DeviceHub.IntegrationTests.Firmware;
using DeviceHub.Tools.Bench.Plans;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>Tests with plans of their own, against the C kit's terminal.</summary>
public abstract class KitPlans : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("plans-").FullName;

    public async ValueTask InitializeAsync() => await KitTerminal.Build();

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>As the tool reads it from a file.</summary>
    private protected Plan Read(string name, string text)
    {
        var path = Path.Combine(folder, name + ".yaml");
        File.WriteAllText(path, text);
        return PlanReader.Read(path);
    }
}
