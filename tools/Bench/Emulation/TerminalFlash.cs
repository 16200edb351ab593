using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Tools.Bench.Emulation;

/// <summary>What an emulated terminal keeps without power.</summary>
internal sealed class TerminalFlash
{
    public byte[]? Key { get; set; }

    public ulong ConfigurationVersion { get; set; }

    public byte[] ConfigurationHash { get; set; } = [];

    /// <summary>Only of faulty ones: a good terminal writes no epoch.</summary>
    public string? LastEpoch { get; set; }
}

/// <summary>Chunks that were kept aside, and what is applied; README.md, "Configuration".</summary>
internal sealed class TerminalSettings(TerminalFlash flash, Fault fault)
{
    private const int LoudestVolume = 10;

    private readonly SortedDictionary<uint, ConfigurationChunk> chunks = [];
    private ulong collecting;

    public ulong Version { get; private set; } = flash.ConfigurationVersion;

    public byte[] Hash { get; private set; } = flash.ConfigurationHash;

    public void Take(ConfigurationChunk chunk)
    {
        if (chunk.Version < Math.Max(collecting, Version))
        {
            return;
        }

        if (chunk.Version > collecting)
        {
            chunks.Clear();
            collecting = chunk.Version;
        }

        chunks[chunk.Index] = chunk;
    }

    /// <summary>The connection was lost.</summary>
    public void Drop()
    {
        chunks.Clear();
        collecting = 0;
    }

    /// <returns>What is reported; null: nothing is.</returns>
    public ConfigurationReport? Commit(ConfigurationCommit commit)
    {
        if (commit.Version < Math.Max(collecting, Version))
        {
            return null;
        }

        if (commit.Version == Version && commit.Hash.Span.SequenceEqual(Hash))
        {
            return Report(ConfigurationReport.Types.Result.Applied);
        }

        var mine = collecting == commit.Version ? chunks.Values.ToList() : [];
        var hash = ConfigurationHash.Of(mine.SelectMany(c => c.Entries));
        Drop();
        if (mine.Count != commit.Chunks || !commit.Hash.Span.SequenceEqual(hash))
        {
            return Report(ConfigurationReport.Types.Result.HashMismatch);
        }

        if (mine.SelectMany(c => c.Entries).Any(e => e is { Key: "sound.volume", Number: < 0 or > LoudestVolume }))
        {
            return new ConfigurationReport
            {
                Version = commit.Version, Hash = ByteString.CopyFrom(Hash), Result = ConfigurationReport.Types.Result.Refused, Detail = $"sound.volume: 0 to {LoudestVolume}",
            };
        }

        (Version, Hash) = (commit.Version, hash);
        if (fault != Fault.AcknowledgesBeforeStoring)
        {
            (flash.ConfigurationVersion, flash.ConfigurationHash) = (Version, Hash);
        }

        return Report(ConfigurationReport.Types.Result.Applied);
    }

    private ConfigurationReport Report(ConfigurationReport.Types.Result result)
    {
        var told = (byte[])Hash.Clone();
        if (fault == Fault.WrongConfigurationHash && told.Length > 0)
        {
            told[0] ^= 1;
        }

        return new ConfigurationReport { Version = Version, Hash = ByteString.CopyFrom(told), Result = result };
    }
}
