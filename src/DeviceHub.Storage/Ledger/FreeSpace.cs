using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>Whether more than the reserve is free on the database's disk, looked at now and then. One thread at a time.</summary>
internal sealed class FreeSpace(IOptions<StorageOptions> options, TimeProvider clock, Func<long> freeBytes)
{
    private long lookedAt;
    private bool suffices = true;
    private bool looked;

    public bool Suffices()
    {
        if (options.Value.ReserveBytes > 0 && (!looked || clock.GetElapsedTime(lookedAt) >= options.Value.DiskCheckInterval))
        {
            suffices = freeBytes() >= options.Value.ReserveBytes;
            (looked, lookedAt) = (true, clock.GetTimestamp());
        }

        return suffices;
    }
}

/// <summary>Whether there is room for what payments do not need: twice the reserve.</summary>
internal sealed class FreeDisk(IOptions<StorageOptions> options, Func<long> freeBytes)
{
    public bool HasRoom() => options.Value.ReserveBytes == 0 || freeBytes() >= 2 * options.Value.ReserveBytes;
}
