using DeviceHub.Core;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Live;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Core.Problems;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Terminals;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

public static class StorageRegistration
{
    /// <summary>
    /// Registers the stores over SQLite in <paramref name="dataFolder"/>. Call it before Orleans: the database is opened and brought
    /// up to date before any other service starts, and closed after all of them have stopped.
    /// </summary>
    public static IServiceCollection AddHubStorage(this IServiceCollection services, string dataFolder)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptionsSection<StorageOptions>(StorageOptions.Section);
        services.AddSingleton<IValidateOptions<StorageOptions>, StorageOptionsValidator>();

        // Terminal keys are lost with these keys, so they live beside the database.
        services.AddDataProtection().SetApplicationName("DeviceHub").PersistKeysToFileSystem(OwnersFolder(Path.Combine(Path.GetFullPath(dataFolder), "protection-keys")));

        services.AddSingleton(s => new HubDatabase(dataFolder, s.GetRequiredService<IOptions<StorageOptions>>()));
        services.AddSingleton<ReadPool>();
        services.AddSingleton<SearchFile>();
        services.AddSingleton<SearchPool>();
        services.AddSingleton(s => new HubReads(s.GetRequiredService<ReadPool>(), s.GetRequiredService<SearchPool>()));
        services.AddSingleton(s => new HubWrites(s.GetRequiredService<HubDatabase>()));
        services.AddSingleton<AuditLog>();
        services.AddSingleton<IAuditHistory, AuditHistory>();
        services.AddSingleton<IAuditLog>(s => s.GetRequiredService<AuditLog>());
        services.AddSingleton<LiveFeed>();
        long FreeBytes() => new DriveInfo(Path.GetFullPath(dataFolder)).AvailableFreeSpace;
        services.AddSingleton(s => new FreeSpace(s.GetRequiredService<IOptions<StorageOptions>>(), s.GetRequiredService<TimeProvider>(), FreeBytes));
        services.AddSingleton(s => new WriteProbe(s.GetRequiredService<HubWrites>(), s.GetRequiredService<IOptions<StorageOptions>>(), FreeBytes));
        services.AddSingleton(s => new FreeDisk(s.GetRequiredService<IOptions<StorageOptions>>(), FreeBytes));
        services.AddSingleton<LedgerKeys>();
        services.AddSingleton<LedgerWriter>();
        services.AddSingleton<IPaymentLedger>(s => s.GetRequiredService<LedgerWriter>());
        services.AddSingleton<ITerminalStore, TerminalStore>();
        services.AddSingleton<ChannelAccountStore>();
        services.AddSingleton<DayTotals>();
        services.AddSingleton(s => new WebhookBook(s.GetRequiredService<HubWrites>(), s.GetRequiredService<ReadPool>(), s.GetRequiredService<IDataProtectionProvider>()));
        services.AddSingleton<IChargeStore, ChargeStore>();
        services.AddSingleton<IAccountKeeper>(s => ActivatorUtilities.CreateInstance<ChannelAccountKeeper>(s, (Func<PaymentChannels>)s.GetRequiredService<PaymentChannels>));
        services.AddSingleton<HeartbeatHistory>();
        services.AddSingleton<IHeartbeatHistory>(s => s.GetRequiredService<HeartbeatHistory>());
        services.AddSingleton<LastSeenWriter>();
        services.AddSingleton<SearchProgress>();
        services.AddSingleton<PaymentProjection>();
        services.AddSingleton<IPaymentSearch, PaymentSearch>();
        services.AddSingleton<IPaymentStatistics, PaymentStatistics>();
        services.AddSingleton<IFleetPresence, FleetPresence>();
        services.AddSingleton<ITerminalSearch, TerminalSearch>();
        services.AddSingleton<IMerchantBook, MerchantBook>();
        services.AddSingleton<IActivationCodes, ActivationCodeBook>();
        services.TryAddSingleton(new RecordLimit(1_000_000));
        services.AddSingleton<ProblemList>();

        // A look of its own: the ledger's is one thread's.
        services.AddSingleton<IProblemSource>(s => ActivatorUtilities.CreateInstance<StoredProblems>(
            s, new FreeSpace(s.GetRequiredService<IOptions<StorageOptions>>(), s.GetRequiredService<TimeProvider>(), FreeBytes)));
        services.AddSingleton<IProblemSource, SearchProblem>();
        services.AddSingleton<IReconciliationBook, ReconciliationBook>();
        services.AddSingleton<ILastSeen>(s => s.GetRequiredService<LastSeenWriter>());
        services.AddDbContext<HubDbContext>((s, options) =>
        {
            var database = s.GetRequiredService<HubDatabase>();
            database.Open();
            options.UseSqlite(database.ConnectionString).AddInterceptors(new GateInterceptor(database), new ConnectionSettings());
        });

        services.AddHostedService<StorageLifetime>();
        services.AddHostedService<Checkpointer>();
        services.AddHostedService<Retention>();
        services.AddHostedService(s => s.GetRequiredService<LastSeenWriter>());
        services.AddHostedService(s => s.GetRequiredService<PaymentProjection>());
        services.AddHostedService<ChannelAccountLoader>();
        return services;
    }

    internal static DirectoryInfo OwnersFolder(string path) =>
        OperatingSystem.IsWindows()
            ? Directory.CreateDirectory(path)
            : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>Opens before and closes after every other hosted service.</summary>
    private sealed class StorageLifetime(HubDatabase database, LedgerWriter ledger) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken)
        {
            database.Open(cancellationToken);
            return Task.CompletedTask;
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken)
        {
            ledger.Dispose();
            return Task.CompletedTask;
        }
    }
}
