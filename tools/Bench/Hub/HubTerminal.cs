using System.Net;
using System.Text.Json;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Reports;
using Google.Protobuf;

namespace DeviceHub.Tools.Bench.Hub;

/// <summary>A terminal as a hub's API shows it, and the configuration that the hub wants of it, which is put back at the end.</summary>
internal sealed class HubTerminal
{
    private static readonly TimeSpan ToPutBack = TimeSpan.FromSeconds(10);

    private readonly HubApi api;
    private JsonElement seen;
    private JsonElement? before;
    private long desiredVersion;

    private HubTerminal(HubApi api, string serialNumber, JsonElement seen) => (this.api, SerialNumber, this.seen) = (api, serialNumber, seen);

    public string SerialNumber { get; }

    public string Path => "terminals/" + SerialNumber;

    public bool IsConnected => seen.GetProperty("connected").GetBoolean();

    public DateTimeOffset? LastSeen => seen.GetProperty("lastSeen") is { ValueKind: JsonValueKind.String } at ? at.GetDateTimeOffset() : null;

    public JsonElement? Heartbeat => seen.GetProperty("heartbeat");

    public double HeartbeatIntervalS => seen.GetProperty("heartbeatIntervalSeconds").GetDouble();

    public string? MerchantId => seen.GetProperty("merchantId").GetString();

    /// <summary>The model is that of the hub's record, the firmware that of the heartbeat.</summary>
    public UnitSeen Unit => new(
        SerialNumber,
        seen.GetProperty("hardwareId").GetString() ?? "",
        seen.GetProperty("model").GetString() ?? "",
        Heartbeat is { ValueKind: JsonValueKind.Object } said && said.TryGetProperty("firmware", out var firmware) ? firmware.GetString()! : "");

    public long? ReportedVersion => seen.GetProperty("reported") is { ValueKind: JsonValueKind.Object } told ? told.GetProperty("version").GetInt64() : null;

    /// <summary>As the terminal told it.</summary>
    public ConfigurationReport? Report => seen.GetProperty("reported") is { ValueKind: JsonValueKind.Object } told
        ? new ConfigurationReport
        {
            Version = told.GetProperty("version").GetUInt64(),
            Hash = ByteString.CopyFrom(Convert.FromHexString(told.GetProperty("hash").GetString()!)),
            Result = Enum.Parse<ConfigurationReport.Types.Result>(told.GetProperty("result").GetString()!, ignoreCase: true),
            Detail = told.GetProperty("detail").GetString() ?? "",
        }
        : null;

    /// <summary>Throws in words for what is wrong with the hub, the key or the terminal.</summary>
    public static async Task<HubTerminal> Find(HubApi api, string serialNumber, CancellationToken stop)
    {
        var (status, seen) = await api.Send(HttpMethod.Get, "terminals/" + serialNumber, null, stop);
        switch (status)
        {
            case HttpStatusCode.OK when seen.ValueKind == JsonValueKind.Object && seen.TryGetProperty("heartbeatIntervalSeconds", out _):
                break;
            case HttpStatusCode.Unauthorized:
                throw new BadInputException($"{api.Address}: the hub does not know this API key");
            case HttpStatusCode.Forbidden:
                throw new BadInputException($"{api.Address}: the API key may not read terminals; it needs the scope operate");
            case HttpStatusCode.NotFound when seen.ValueKind == JsonValueKind.Object:
                throw new BadInputException($"--terminal {serialNumber}: the hub has no such terminal");
            default:
                throw new BadInputException($"{api.Address}: no hub of this version: it answered {(int)status}");
        }

        var terminal = new HubTerminal(api, serialNumber, seen);
        return terminal.IsConnected ? terminal : throw new PortException(terminal.LastSeen is { } at
            ? (Phrase)$"{serialNumber}: not connected to the hub, which saw it last at {at:yyyy-MM-dd HH:mm:ss} UTC"
            : (Phrase)$"{serialNumber}: not connected to the hub, which never saw it");
    }

    public async Task<bool> Read(CancellationToken stop)
    {
        seen = await api.Get(Path, stop);
        return true;
    }

    /// <summary>Has the hub want this configuration, unless somebody else has changed it since the bench did.</summary>
    public async Task<(long Version, byte[] Hash)> Configure(object document, CancellationToken stop)
    {
        if (before is null)
        {
            await Read(stop);
            before = seen.GetProperty("desired");
            desiredVersion = before is { ValueKind: JsonValueKind.Object } desired ? desired.GetProperty("version").GetInt64() : 0;
        }

        var set = await api.Ask(HttpMethod.Put, $"{Path}/configuration?after={desiredVersion}", document, null, stop);
        desiredVersion = set.GetProperty("version").GetInt64();
        return (desiredVersion, Convert.FromHexString(set.GetProperty("hash").GetString()!));
    }

    /// <summary>The configuration of before, or an empty one; also when the run was stopped. What the hub then refuses is told.</summary>
    public async Task<Phrase?> PutBack()
    {
        if (before is not { } was)
        {
            return null;
        }

        using var limit = new CancellationTokenSource(ToPutBack);
        try
        {
            await Configure(was.ValueKind == JsonValueKind.Object ? was.GetProperty("document") : new object(), limit.Token);
            return null;
        }
        catch (Exception e) when (e is CaseBlockedException or PortException or OperationCanceledException)
        {
            return e switch { CaseBlockedException blocked => blocked.Phrase, PortException lost => lost.Phrase, _ => (Phrase)"it did not answer in time" };
        }
    }
}
