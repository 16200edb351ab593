using DeviceHub.Core.Configuration;
using DeviceHub.Core.Terminals;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Gateways;

/// <summary>Heartbeats and configuration. Nothing is pushed while the terminal has a payment that is not final (I10).</summary>
internal sealed partial class TerminalSession
{
    private const int MaxChunks = 256;

    /// <summary>A push was due while a payment was open, or before <see cref="synced"/>.</summary>
    private bool pushWaits;

    /// <summary>How often the version that was pushed last was pushed.</summary>
    private int pushes;
    private long pushedVersion;

    public void ConfigurationChanged() => _ = PushSafely();

    private async ValueTask Heartbeat(Heartbeat beat)
    {
        var answer = await Terminal.Heartbeat(epoch, WireMapping.ToDomain(beat));
        if (answer.Refusal is { } refusal)
        {
            Refuse(refusal, null);
            return;
        }

        await FindDoubtful();
        if (answer.ConfigurationDrifts)
        {
            await PushWhenIdle();
        }
    }

    private async ValueTask Report(Protocol.Wire.ConfigurationReport report)
    {
        var refusal = await Terminal.ConfigurationReported(epoch, WireMapping.ToDomain(report, sessions.Clock.GetUtcNow()));
        if (refusal is not null)
        {
            Refuse(refusal, null);
        }
        else if (report.Result == Protocol.Wire.ConfigurationReport.Types.Result.HashMismatch)
        {
            await PushWhenIdle();
        }
    }

    private async Task PushSafely()
    {
        try
        {
            await PushWhenIdle();
        }
        catch (Exception e)
        {
            Fault(e, "Configuration");
        }
    }

    private async ValueTask PushWhenIdle()
    {
        if (state != SessionState.LoggedIn)
        {
            return;
        }

        if (Postpones())
        {
            return;
        }

        if (await Terminal.Configuration() is not { } desired || !MayPush(desired.Version)
            || ConfigurationDocument.TryParse(desired.Json, out _) is not { } document)
        {
            return;
        }

        if (Chunks(desired, document) is not { } chunks)
        {
            return;
        }

        lock (gate)
        {
            // While the grain was asked a payment may have begun, or a newer version been pushed.
            if (desired.Version < pushedVersion || Postpones())
            {
                return;
            }

            SessionMetrics.Pushes.Add(1);
            foreach (var chunk in chunks)
            {
                Send(new Downlink { ConfigurationChunk = chunk });
            }

            Send(new Downlink
            {
                ConfigurationCommit = new() { Version = (ulong)desired.Version, Chunks = (uint)chunks.Count, Hash = ByteString.CopyFrom(desired.Hash) },
            });
        }
    }

    /// <summary>A terminal that never applies a version is not sent it for ever; a new version begins again, and an older one is not pushed after it.</summary>
    private bool MayPush(long version)
    {
        lock (gate)
        {
            if (version < pushedVersion)
            {
                return false;
            }

            if (version != pushedVersion)
            {
                (pushedVersion, pushes) = (version, 0);
            }

            if (pushes > sessions.Options.MaxPushes)
            {
                return false;
            }

            if (++pushes <= sessions.Options.MaxPushes)
            {
                return true;
            }
        }

        SessionMetrics.PushesStopped.Add(1);
        LogPushesStopped(sessions.Logger, SerialNumber, version, sessions.Options.MaxPushes);
        return false;
    }

    private bool Postpones()
    {
        lock (gate)
        {
            pushWaits = !synced || open is { Count: > 0 };
        }

        if (pushWaits)
        {
            SessionMetrics.PushesPostponed.Add(1);
        }

        return pushWaits;
    }

    /// <summary>Cuts the entries so that every chunk fits the terminal. Null: one entry alone does not.</summary>
    private List<ConfigurationChunk>? Chunks(DesiredConfiguration desired, ConfigurationDocument document)
    {
        var chunks = new List<ConfigurationChunk>();
        var chunk = New();
        foreach (var entry in document.Entries)
        {
            var wireEntry = WireMapping.ToWire(entry);
            chunk.Entries.Add(wireEntry);
            if (Fits(chunk))
            {
                continue;
            }

            chunk.Entries.RemoveAt(chunk.Entries.Count - 1);
            if (chunk.Entries.Count > 0)
            {
                chunks.Add(chunk);
            }

            chunk = New();
            chunk.Entries.Add(wireEntry);
            if (!Fits(chunk) || chunks.Count >= MaxChunks)
            {
                SessionMetrics.Count(SessionMetrics.TooLarge, "body", nameof(ConfigurationChunk));
                LogEntryTooLarge(sessions.Logger, SerialNumber, entry.Key, maxBytes);
                return null;
            }
        }

        if (chunk.Entries.Count > 0)
        {
            chunks.Add(chunk);
        }

        return chunks;

        ConfigurationChunk New() => new() { Version = (ulong)desired.Version, Index = (uint)chunks.Count };

        bool Fits(ConfigurationChunk candidate) =>
            MessageCodec.Encode(new Downlink { ConfigurationChunk = candidate }, encoding).Length <= maxBytes;
    }

    [LoggerMessage(EventName = "ConfigurationPushesStopped", Level = LogLevel.Warning,
        Message = "Configuration {Version} was pushed {Pushes} times to terminal {SerialNumber}, which never applied it; it gets it again when it reconnects")]
    private static partial void LogPushesStopped(ILogger logger, string serialNumber, long version, int pushes);

    [LoggerMessage(EventName = "ConfigurationTooLarge", Level = LogLevel.Warning,
        Message = "Configuration of terminal {SerialNumber} was not pushed: entry {Key} does not fit its {MaxBytes} bytes; shorten its value")]
    private static partial void LogEntryTooLarge(ILogger logger, string serialNumber, string key, int maxBytes);
}
