using DeviceHub.Core.Terminals;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

internal sealed class FleetPresence(SearchPool pool, IOptions<TerminalOptions> options, TimeProvider clock) : IFleetPresence
{
    public async Task<FleetCounts> Count()
    {
        var now = clock.GetUtcNow();
        return await pool.Read((TerminalPresence.HeardAfter(options.Value, now), now), static (db, q) => PresenceQueries.Count(db, q.Item1, q.now)).ConfigureAwait(false);
    }

    public async Task<TerminalPresence?> Of(string serialNumber)
    {
        var now = clock.GetUtcNow();
        return await pool.Read(
            (serialNumber, HeardAfter: TerminalPresence.HeardAfter(options.Value, now), now),
            static (db, q) => PresenceQueries.Of(db, q.serialNumber, q.HeardAfter, q.now)).ConfigureAwait(false);
    }
}
