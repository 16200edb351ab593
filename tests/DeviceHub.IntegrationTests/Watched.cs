using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests;

/// <summary>A counter of the hub as it stood when the test began.</summary>
internal sealed class Watched(string what, Func<Task<double>> read, double before)
{
    /// <summary>Until it has grown by so much; returns by how much it has.</summary>
    public Task<double> Grew(double atLeast = 1) => Eventually.Becomes(async () => await read() - before, grown => grown >= atLeast, $"{what} grows by {atLeast}");
}
