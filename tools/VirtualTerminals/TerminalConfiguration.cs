using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>What a terminal applies of its hub's wishes: chunks are kept aside in any order and count only if the hash matches.</summary>
internal sealed class TerminalConfiguration
{
    private readonly SortedDictionary<uint, ConfigurationChunk> chunks = [];

    public ulong Version { get; private set; }

    public byte[] Hash { get; private set; } = [];

    public IReadOnlyList<ConfigurationEntry> Entries { get; private set; } = [];

    public void Take(ConfigurationChunk chunk)
    {
        if (chunks.Count > 0 && chunks.Values.First().Version != chunk.Version)
        {
            chunks.Clear();
        }

        chunks[chunk.Index] = chunk;
    }

    /// <returns>What is reported to the hub.</returns>
    public ConfigurationReport Commit(ConfigurationCommit commit)
    {
        var entries = chunks.Values.Where(c => c.Version == commit.Version).SelectMany(c => c.Entries).ToList();
        var hash = ConfigurationHash.Of(entries);
        var matches = hash.AsSpan().SequenceEqual(commit.Hash.Span);
        if (matches)
        {
            (Version, Hash, Entries) = (commit.Version, hash, entries);
        }

        chunks.Clear();
        return new ConfigurationReport
        {
            Version = Version,
            Hash = ByteString.CopyFrom(Hash),
            Result = matches ? ConfigurationReport.Types.Result.Applied : ConfigurationReport.Types.Result.HashMismatch,
        };
    }
}
