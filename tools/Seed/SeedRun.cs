using System.Diagnostics;
using System.Globalization;
using DeviceHub.Core.Terminals;
using DeviceHub.Server.Hosting;
using DeviceHub.Server.SignIn;
using DeviceHub.Storage;
using Microsoft.Data.Sqlite;
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
        var search = services.GetRequiredService<SearchFile>();
        database.Connected = search.Connected = Hurry;
        var dice = new Dice(setup.Seed);
        var plan = new FleetPlan(setup, dice);
        var deeds = new Deeds(dice);
        var fleet = ActivatorUtilities.CreateInstance<FleetWriter>(services, setup, plan, dice, keys, deeds);
        await fleet.Write(cancellation);
        Say($"{plan.Merchants.Count:n0} merchants, {plan.Stores.Count:n0} stores, {plan.Terminals.Count:n0} terminals");
        var password = await new PeopleWriter(setup, dice, services.GetRequiredService<HubWrites>(), deeds).Write(fleet.Accounts.Values.Select(a => a[0]), cancellation);
        Say($"{deeds.Write(database):n0} rows of the audit log");
        Say($"{new HeartbeatWriter(setup, plan, dice, database).Write(cancellation):n0} heartbeats");
        var charges = new ChargeWriter(plan, new Dice(setup.Seed * 6421), database);
        var written = await new PaymentWriter(setup, plan, fleet.Accounts, keys, database, charges, Tell).Write(cancellation);
        Say($"{written:n0} payments in the ledger, {charges.Write():n0} charges");
        var indexes = there ? [] : DropIndexes(search.Writes.Connection);
        await Project(services.GetRequiredService<PaymentProjection>(), Tell, cancellation);
        indexes.ForEach(sql => HubDatabase.Execute(search.Writes.Connection, sql));
        HubDatabase.Execute(database.Writes.Connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        HubDatabase.Execute(search.Writes.Connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        Say($"done: {new FileInfo(database.File).Length / 1048576:n0} MB in {database.File}, {new FileInfo(search.File).Length / 1048576:n0} MB in {search.File}");
        if (password is not null)
        {
            say($"sign in as {FirstOwner.UserName} with the password {password}; it opens the page where you choose your own");
        }

        say($"activation code for new terminals of store {plan.Stores[0].Name}: {fleet.OpenCode.Reveal()}");

        void Say(FormattableString text) => Tell(text.ToString(CultureInfo.InvariantCulture));

        void Tell(string text) => say(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds,6:0.0} s  {text}"));
    }

    /// <summary>The searchable payments' indexes are made when all rows are there, in a fraction of the time; but for the one that the projection itself asks.</summary>
    /// <returns>The SQL that makes them.</returns>
    private static List<string> DropIndexes(SqliteConnection connection)
    {
        var all = new List<(string Name, string Sql)>();
        using (var list = connection.CreateCommand())
        {
            list.CommandText = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'payment' AND sql IS NOT NULL AND name <> 'IX_payment_serial_number_accepted_at'";
            using var rows = list.ExecuteReader();
            while (rows.Read())
            {
                all.Add((rows.GetString(0), rows.GetString(1)));
            }
        }

        all.ForEach(index => HubDatabase.Execute(connection, $"DROP INDEX \"{index.Name}\""));
        return all.ConvertAll(index => index.Sql);
    }

    private static async Task Project(PaymentProjection projection, Action<string> say, CancellationToken cancellation)
    {
        for (var steps = 1; await projection.Step() > 0; steps++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (steps % 20 == 0)
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
            // Folded within the time limit of a read, however busy the machine is.
            ["Storage:ProjectionBatch"] = "2000",
        }).Build());
        services.AddHubStorage(folder);
        return services.BuildServiceProvider();
    }

    /// <summary>What is lost in a power cut is made again.</summary>
    private static void Hurry(SqliteConnection connection)
    {
        HubDatabase.Execute(connection, "PRAGMA synchronous = OFF");
        HubDatabase.Execute(connection, "PRAGMA wal_autocheckpoint = 20000");
        HubDatabase.Execute(connection, "PRAGMA cache_size = -300000");
        HubDatabase.Execute(connection, "PRAGMA temp_store = MEMORY");
    }
}
