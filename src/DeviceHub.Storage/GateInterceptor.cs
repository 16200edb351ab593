using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace DeviceHub.Storage;

/// <summary>
/// Lets a scoped context's SaveChanges (Identity's stores use one) pass the write gate. The driver works synchronously, so the gate
/// is never held across a foreign await.
/// </summary>
internal sealed class GateInterceptor(HubDatabase database) : SaveChangesInterceptor
{
    private readonly ConditionalWeakTable<DbContext, object> leases = [];

    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Keep(eventData, database.Gate.EnterBlocking());
        return result;
    }

    public override async ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Keep(eventData, await database.Gate.Enter(cancellationToken));
        return result;
    }

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        Leave(eventData);
        return result;
    }

    public override ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        Leave(eventData);
        return new(result);
    }

    public override void SaveChangesFailed(DbContextErrorEventData eventData) => Leave(eventData);

    public override Task SaveChangesFailedAsync(DbContextErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        Leave(eventData);
        return Task.CompletedTask;
    }

    public override void SaveChangesCanceled(DbContextEventData eventData) => Leave(eventData);

    public override Task SaveChangesCanceledAsync(DbContextEventData eventData, CancellationToken cancellationToken = default)
    {
        Leave(eventData);
        return Task.CompletedTask;
    }

    private void Keep(DbContextEventData eventData, WriteGate.Lease lease) => leases.Add(eventData.Context!, lease);

    private void Leave(DbContextEventData eventData)
    {
        if (leases.TryGetValue(eventData.Context!, out var lease))
        {
            leases.Remove(eventData.Context!);
            ((WriteGate.Lease)lease).Dispose();
        }
    }
}

/// <summary>Gives the connections of scoped contexts the settings of all others.</summary>
internal sealed class ConnectionSettings : DbConnectionInterceptor
{
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) =>
        HubDatabase.Settle((SqliteConnection)connection);

    public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        HubDatabase.Settle((SqliteConnection)connection);
        return Task.CompletedTask;
    }
}
