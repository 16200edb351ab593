using System.Diagnostics;
using System.Globalization;
using DeviceHub.Core.Terminals;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Tools.Seed;

/// <summary>Fills a folder, from merchants to the searchable payments.</summary>
internal static class SeedRun
{
    /// <exception cref="SeedException">The folder is not empty, or has the same terminals.</exception>
    /// <exception cref="StartException">A hub uses the folder, or it cannot be written.</exception>
    public static async Task Fill(SeedSetup setup, bool add, Action<string> say, CancellationToken cancellation)
    {
        var there = Directory.Exists(setup.Folder) && Directory.EnumerateFileSystemEntries(setup.Folder).Any(f => Path.GetFileName(f) != "hub.lock");
        if (there && !add)
        {
            throw new SeedException($"'{setup.Folder}' is not empty; name another folder, or say --add to keep what it has");
        }

        using var folder = DataFolder.Open(setup.Folder);

        var watch = Stopwatch.StartNew();
        var keys = folder.LoadKeys();
        await using var services = Services(folder.Path);
        var database = services.GetRequiredService<HubDatabase>();
        database.Connected = Hurry;
        var dice = new Dice(setup.Seed);
        var plan = new FleetPlan(setup, dice);
        var fleet = ActivatorUtilities.CreateInstance<FleetWriter>(services, setup, plan, dice, keys);
        await fleet.Write(cancellation);
        Say($"{plan.Merchants.Count:n0} merchants, {plan.Stores.Count:n0} stores, {plan.Terminals.Count:n0} terminals");
        var written = await new PaymentWriter(setup, plan, fleet.Accounts, keys, database, Tell).Write(cancellation);
        Say($"{written:n0} payments in the ledger");
        await Project(services.GetRequiredService<PaymentProjection>(), Tell, cancellation);
        HubDatabase.Execute(database.Writes.Connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        Say($"done: {new FileInfo(database.File).Length / 1048576:n0} MB in {database.File}");
        say($"activation code for new terminals of store {plan.Stores[0].Name}: {fleet.OpenCode.Reveal()}");

        void Say(FormattableString text) => Tell(text.ToString(CultureInfo.InvariantCulture));

        void Tell(string text) => say(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds,6:0.0} s  {text}"));
    }

    private static async Task Project(PaymentProjection projection, Action<string> say, CancellationToken cancellation)
    {
        for (var steps = 1; await projection.Step() > 0; steps++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (steps % 40 == 0)
            {
                say(string.Create(CultureInfo.InvariantCulture, $"{projection.Lag:n0} ledger rows to be made searchable"));
            }
        }
    }

    private static ServiceProvider Services(string folder)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error));
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Storage:ProjectionBatch"] = "10000",
            ["Storage:ProjectionSlice"] = "10000",
        }).Build());
        services.AddHubStorage(folder);
        return services.BuildServiceProvider();
    }

    /// <summary>What is lost in a power cut is made again.</summary>
    private static void Hurry(Microsoft.Data.Sqlite.SqliteConnection connection)
    {
        HubDatabase.Execute(connection, "PRAGMA synchronous = OFF");
        HubDatabase.Execute(connection, "PRAGMA wal_autocheckpoint = 20000");
        HubDatabase.Execute(connection, "PRAGMA cache_size = -300000");
    }
}
