using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using DeviceHub.Tools.LoadBench.Driver;
using Microsoft.AspNetCore.Identity;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>
/// The whole hub in a process of its own, as it is started in the field: every check on, a durable ledger in a temporary folder. Only
/// <see cref="Raised"/> differs from the defaults, and its terminals are put into the store at the start.
/// </summary>
internal static class HubChild
{
    /// <summary>Limits that one address with 8,000 terminals at full speed would meet. A run lists them.</summary>
    public static readonly IReadOnlyDictionary<string, string> Raised = new Dictionary<string, string>
    {
        ["Mqtt:MaxConnectionsNotLoggedInPerAddress"] = "100000",
        ["Mqtt:MaxTlsHandshakes"] = "10000",
        ["Mqtt:ConnectBurst"] = "1000000",
        ["Mqtt:PacketsPerSecond"] = "1000000",
        ["Mqtt:PacketBurst"] = "1000000",
        ["Mqtt:BytesPerSecond"] = "1000000000",
        ["Sandbox:MaxOrders"] = "10000000",
        ["Server:SignInsPerMinute"] = "1000",
    };

    private const string Merchant = "M-bench";

    private static readonly IReadOnlyDictionary<string, string> Places = new Dictionary<string, string>
    {
        ["Mqtt:Port"] = "0",
        ["Mqtt:TlsAddress"] = "127.0.0.1",
        ["Mqtt:TlsPort"] = "0",
        ["Server:Urls"] = "http://127.0.0.1:0",
        ["Logging:LogLevel:Default"] = "Warning",

        // In memory: the bank is another company's.
        ["Sandbox:Book"] = "",
    };

    /// <summary>All that differs from the defaults.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> Options => Raised.Concat(Places).Select(o => KeyValuePair.Create(o.Key, (string?)o.Value));

    public static byte[] KeyOf(string serialNumber) => SHA256.HashData(Encoding.ASCII.GetBytes("devicehub bench " + serialNumber));

    public static string SerialNumber(string group, int n) => string.Create(CultureInfo.InvariantCulture, $"{group}{n:d6}");

    /// <param name="groups">Terminals to know, such as <c>PAY=64</c>.</param>
    /// <param name="channel">Where their merchant has its account; null: at the Sandbox in the hub.</param>
    public static async Task<int> Run(IReadOnlyList<string> groups, ChannelOfHub? channel = null)
    {
        var folder = Directory.CreateTempSubdirectory("devicehub-bench-");
        try
        {
            var serials = groups.SelectMany(g => Enumerable.Range(0, int.Parse(g.Split('=')[1], CultureInfo.InvariantCulture)).Select(n => SerialNumber(g.Split('=')[0], n)));
            await Serve(folder.FullName, channel is null ? [] : [new("WeChatPay:Url", channel.Url)], async (services, start) =>
            {
                foreach (var account in channel?.Accounts(Merchant) ?? [])
                {
                    services.GetRequiredService<ChannelAccountBook>().Put(account);
                }

                await Register(services.GetRequiredService<ITerminalStore>(), serials);
                return start.FirstPassword!;
            });
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
    }

    /// <summary>In a folder that the seeding tool has filled; what it says was connected is so again.</summary>
    public static async Task<int> RunIn(string folder)
    {
        var connected = Connected(folder);
        await Serve(folder, [new("Reconciliation:Daily", "false")], async (services, start) =>
        {
            var password = RandomNumberGenerator.GetHexString(20);
            await services.GetRequiredService<HubWrites>().Run(async (db, stop) =>
            {
                var owner = await db.Users.FirstAsync(u => u.UserName == start.UserName, stop);
                (owner.PasswordHash, owner.MustSetUp) = (new PasswordHasher<HubUser>().HashPassword(owner, password), true);
                await db.SaveChangesAsync(stop);
            });
            var (seen, now) = (services.GetRequiredService<ILastSeen>(), TimeProvider.System.GetUtcNow());
            connected.ForEach(serial => seen.Saw(new Sighting(serial, now, null, null)));
            return password;
        });
        return 0;
    }

    /// <summary>Who was heard in the last minutes before the folder was left. Read before the hub starts: a file that nobody has read yet takes longer than its readers may.</summary>
    private static List<string> Connected(string folder)
    {
        using var file = new SqliteConnection($"Data Source={Path.Combine(folder, "hub.db")};Pooling=False");
        file.Open();
        using var command = file.CreateCommand();
        command.CommandText = "SELECT serial_number FROM last_seen WHERE at > (SELECT max(at) FROM last_seen) - 600000";
        using var rows = command.ExecuteReader();
        var connected = new List<string>();
        while (rows.Read())
        {
            connected.Add(rows.GetString(0));
        }

        return connected;
    }

    /// <param name="prepare">Is called when it has started; the first password of its owner.</param>
    private static async Task Serve(string folder, KeyValuePair<string, string?>[] more, Func<IServiceProvider, HubStart, Task<string>> prepare)
    {
        HubStart? start = null;
        await using var app = HubApplication.Build(
            [],
            builder =>
            {
                builder.Configuration.AddInMemoryCollection(Options.Concat(more));
                builder.Configuration["Server:DataFolder"] = folder;
            },
            started => start = started);
        await app.StartAsync();
        var password = await prepare(app.Services, start!);
        var addresses = app.Services.GetRequiredService<MqttAddresses>();
        Console.WriteLine($"ready {addresses.Plain!.Port} {addresses.Tls!.Port} {start!.Pages[0]} {start.UserName} {password}");
        await ChildLoop.Serve();
        await app.StopAsync();
    }

    private static Task Register(ITerminalStore store, IEnumerable<string> serials) => Parallel.ForEachAsync(
        serials,
        new ParallelOptions { MaxDegreeOfParallelism = 64 },
        async (serial, _) =>
        {
            var record = new TerminalRecord
            {
                SerialNumber = serial,
                Status = TerminalStatus.Active,
                Model = "bench",
                MerchantId = Merchant,
                MerchantName = "Bench",
                StoreId = "S-bench",
                StoreName = "Bench",
                Key = new SecretBytes(KeyOf(serial)),
                HardwareId = HubClient.HardwareId(serial),
                RegisteredAt = TimeProvider.System.GetUtcNow(),
                ActivatedAt = TimeProvider.System.GetUtcNow(),
            };
            if (!await store.Save(record))
            {
                throw new BenchException($"terminal {serial} could not be stored");
            }
        });
}
