using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>Whether a payment could be written now; readiness asks.</summary>
public sealed class WriteProbe
{
    private readonly HubWrites writes;
    private readonly StorageOptions options;
    private readonly Func<long> freeBytes;

    internal WriteProbe(HubWrites writes, IOptions<StorageOptions> options, Func<long> freeBytes) => (this.writes, this.options, this.freeBytes) = (writes, options.Value, freeBytes);

    /// <summary>Null: yes. Otherwise why not, without paths. It commits a page, so ask it only now and then.</summary>
    public async Task<string?> Fault(CancellationToken cancellationToken)
    {
        try
        {
            if (freeBytes() < options.ReserveBytes)
            {
                return "free disk space is below Storage:ReserveBytes";
            }

            // A number that nobody uses: a real commit meets a full, locked, read-only or lost disk as a payment would.
            await writes.Run(async (db, stop) => await db.Database.ExecuteSqlRawAsync("PRAGMA user_version = 1", stop), cancellationToken);
            return null;
        }
        catch (Exception e) when (e is DbException or OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            return "the database cannot be written";
        }
    }
}
