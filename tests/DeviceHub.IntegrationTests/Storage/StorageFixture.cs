using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Storage;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>The real stores over a file in a folder of the test's own.</summary>
internal sealed class StorageFixture : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private static int next;
    private readonly bool owned;

    public StorageFixture(Action<StorageOptions>? configure = null, string? folder = null, ILogger<SearchFile>? searchLog = null, ILogger<LedgerKeys>? keysLog = null)
    {
        owned = folder is null;
        Folder = folder ?? Directory.CreateTempSubdirectory("hub-storage-").FullName;
        var settings = new StorageOptions { LockWait = TimeSpan.FromMilliseconds(50) };
        configure?.Invoke(settings);
        Options = Microsoft.Extensions.Options.Options.Create(settings);
        Database = new HubDatabase(Folder, Options);
        Pool = new ReadPool(Database, Options, TimeProvider.System);
        Keys = new LedgerKeys(Database, keysLog ?? NullLogger<LedgerKeys>.Instance);
        Ledger = new LedgerWriter(
            Database, Keys, Pool, new FreeSpace(Options, TimeProvider.System, () => FreeBytes), Options, TimeProvider.System, NullLogger<LedgerWriter>.Instance);
        Search = new SearchFile(Database, Options, searchLog ?? NullLogger<SearchFile>.Instance);
        SearchPool = new SearchPool(Database, Search, Options, TimeProvider.System);
        Reads = new HubReads(Pool, SearchPool);
        Writes = new HubWrites(Database);
        Terminals = new TerminalStore(
            Database, Pool, Feed, DataProtectionProvider.Create(new DirectoryInfo(Path.Combine(Folder, "keys"))), new AuditLog(Writes, TimeProvider.System, NullLogger<AuditLog>.Instance));
        Progress = new SearchProgress(TimeProvider.System, NullLogger<SearchProgress>.Instance);
        Projection = new PaymentProjection(
            Search, Pool, Ledger, Feed, new FreeDisk(Options, () => FreeBytes), Progress, Options, Microsoft.Extensions.Options.Options.Create(TerminalOptions), TimeProvider.System, NullLogger<PaymentProjection>.Instance);
        Heartbeats = new HeartbeatHistory(Pool);
        LastSeen = new LastSeenWriter(Database, Feed, Heartbeats, Options, TimeProvider.System, NullLogger<LastSeenWriter>.Instance);
        Database.Open();
    }

    public string Folder { get; }
    public IOptions<StorageOptions> Options { get; }
    public long FreeBytes { get; set; } = long.MaxValue;
    public LiveFeed Feed { get; } = new();
    public TerminalOptions TerminalOptions { get; } = new();
    public HubDatabase Database { get; }
    public ReadPool Pool { get; }
    public LedgerKeys Keys { get; }
    public LedgerWriter Ledger { get; }
    public SearchFile Search { get; }
    public SearchPool SearchPool { get; }
    public HubReads Reads { get; }
    public HubWrites Writes { get; }
    public TerminalStore Terminals { get; }
    public SearchProgress Progress { get; }
    public PaymentProjection Projection { get; }
    public LastSeenWriter LastSeen { get; }
    public HeartbeatHistory Heartbeats { get; }

    public static LedgerAccept Accept(string request, string sn = "T1", long fen = 100, string? order = null, bool check = false, string? allowed = null, string? channelOrder = null)
    {
        channelOrder ??= $"N{Interlocked.Increment(ref next)}";
        var id = new PaymentId(sn, request);
        return new(
            id,
            [
                new PaymentAccepted(Now, fen, "CNY", Wallet.WeChat, "1234", "fingerprint", order, "M1", "Tea", "S1", Now.AddMinutes(1), null),
                new AttemptStarted(Now, 1, "sandbox", "account", channelOrder, Now.AddSeconds(30), "first"),
            ],
            "M1", order, fen, channelOrder, Now, Now.AddSeconds(30), check ? Now.AddMinutes(-2) : null, allowed);
    }

    public static LedgerAppend Approve(PaymentId id, int version = 2) => new(
        id, version,
        [
            new PayAnswered(Now.AddSeconds(1), 1, new ChannelVerdict(Verdict.Approved, "OK", PaidFen: 100)),
            new OutcomeReached(Now.AddSeconds(1), 1, PaymentResult.Approved, DeclineReason.None, 1),
        ],
        [], null, new PaymentStanding(Now.AddSeconds(1), true, false));

    public static LedgerAppend Decline(PaymentId id, int version = 2) => new(
        id, version,
        [
            new PayAnswered(Now.AddSeconds(1), 1, new ChannelVerdict(Verdict.Declined, "NO")),
            new OutcomeReached(Now.AddSeconds(1), 1, PaymentResult.Declined, DeclineReason.Other, 1),
        ],
        [], null, new PaymentStanding(Now.AddSeconds(1), false, false));

    public static LedgerAppend Shown(PaymentId id, bool paid = true, int version = 3) => new(
        id, version, [new OutcomeShown(Now.AddSeconds(2), 1)], [], null, new PaymentStanding(Now.AddSeconds(1), paid, true));

    public SqliteConnection Foreign()
    {
        var connection = new SqliteConnection($"Data Source={Database.File};Pooling=False;Default Timeout=0");
        connection.Open();
        return connection;
    }

    /// <summary>Of either file.</summary>
    public long Number(string sql)
    {
        using var connection = Foreign();
        HubDatabase.Execute(connection, $"ATTACH '{Search.File}' AS search");
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    public void Dispose()
    {
        Ledger.Dispose();
        LastSeen.Dispose();
        Projection.Dispose();
        SearchPool.Dispose();
        Pool.Dispose();
        Search.Dispose();
        Database.Dispose();
        if (owned)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
