namespace DeviceHub.Storage;

/// <summary>
/// Where the background writers work: SQLite blocks its caller for as long as the disk takes. On two cores the thread pool has two
/// threads, and two writers that wait in them would stop every terminal for that time.
/// </summary>
internal static class Blocking
{
    /// <summary>Runs it on a thread of its own.</summary>
    public static Task<T> Run<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Runs it on a thread of its own.</summary>
    public static Task Run(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
