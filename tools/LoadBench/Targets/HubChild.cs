using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Server.Hosting;
using DeviceHub.Tools.LoadBench.Driver;
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
            await using var app = HubApplication.Build([], builder =>
            {
                builder.Configuration.AddInMemoryCollection(Options);
                builder.Configuration["Server:DataFolder"] = folder.FullName;
                if (channel is not null)
                {
                    builder.Configuration["WeChatPay:Url"] = channel.Url;
                }
            });
            await app.StartAsync();
            var serials = groups.SelectMany(g => Enumerable.Range(0, int.Parse(g.Split('=')[1], CultureInfo.InvariantCulture)).Select(n => SerialNumber(g.Split('=')[0], n)));
            if (channel is not null)
            {
                app.Services.GetRequiredService<ChannelAccountBook>().Put(channel.Account(Merchant));
            }

            await Register(app.Services.GetRequiredService<ITerminalStore>(), serials);
            var addresses = app.Services.GetRequiredService<MqttAddresses>();
            Console.WriteLine($"ready {addresses.Plain!.Port} {addresses.Tls!.Port}");
            await ChildLoop.Serve();
            await app.StopAsync();
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
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
