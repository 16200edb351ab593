using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

/// <summary>Queries of pages and API: read-only, a bounded number at a time, each at most 2 s (option).</summary>
public sealed class HubReads
{
    private readonly ReadPool pool;
    private readonly SearchPool search;

    internal HubReads(ReadPool pool, SearchPool search) => (this.pool, this.search) = (pool, search);

    /// <summary>Throws <see cref="TimeoutException"/> when the time limit is over. Do nothing else than reading inside.</summary>
    public Task<T> Run<T>(Func<HubDbContext, CancellationToken, Task<T>> query, CancellationToken cancellationToken = default) =>
        pool.Query(query, cancellationToken);

    /// <summary>As <see cref="Run"/>, and with what is made from the ledger and may lag: see <see cref="HubDbContext.PaymentsBehind"/>.</summary>
    public Task<T> Search<T>(Func<HubDbContext, CancellationToken, Task<T>> query, CancellationToken cancellationToken = default) =>
        search.Query(query, cancellationToken);
}

/// <summary>Writes of pages and API: one transaction, under the process's write gate.</summary>
public sealed class HubWrites
{
    private readonly HubDatabase database;

    internal HubWrites(HubDatabase database) => this.database = database;

    /// <summary>
    /// Commits when <paramref name="write"/> returns, rolls back when it throws. It calls SaveChangesAsync itself and must
    /// await nothing but the database.
    /// </summary>
    public async Task<T> Run<T>(Func<HubDbContext, CancellationToken, Task<T>> write, CancellationToken cancellationToken = default)
    {
        using var lease = await database.Gate.Enter(cancellationToken);
        var options = new DbContextOptionsBuilder<HubDbContext>().UseSqlite(database.Writes.Connection).Options;
        using var context = new HubDbContext(options);
        using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        var result = await write(context, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    public Task Run(Func<HubDbContext, CancellationToken, Task> write, CancellationToken cancellationToken = default) =>
        Run(
            async (context, token) =>
            {
                await write(context, token);
                return true;
            },
            cancellationToken);
}
