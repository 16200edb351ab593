using System.Runtime;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>A child's side of <see cref="ServerProcess"/>: serves until its input is closed, so that it never outlives the bench.</summary>
internal static class ChildLoop
{
    public static async Task Serve()
    {
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line == "collect")
            {
                Collect();
                Console.WriteLine("collected");
            }
        }
    }

    /// <summary>Gives back what nobody refers to.</summary>
    public static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }
}
