using System.Text.Json;
using DeviceHub.Core.Configuration;
using DeviceHub.Core.People;

namespace DeviceHub.Core.Terminals;

/// <summary>What people do to a terminal. What changes its row is in the audit log with it; what changes nothing is not.</summary>
internal sealed partial class TerminalGrain
{
    public Task<Refusal?> Suspend(Actor by) => Change(
        r => r.Status switch
        {
            TerminalStatus.Suspended => (null, null),
            TerminalStatus.Active => (r with { Status = TerminalStatus.Suspended }, null),
            _ => (null, new Refusal(RefusalCode.NotActive, $"only an active terminal can be suspended; {serialNumber} is {r.Status}")),
        },
        (before, after) => Did(by, "terminal.suspend", Standing(before), Standing(after)));

    public async Task<Refusal?> Resume(Actor by)
    {
        var refusal = await Change(
            r => r.Status switch
            {
                TerminalStatus.Active => (null, null),
                TerminalStatus.Suspended => (r with { Status = TerminalStatus.Active, OtherHardware = null }, null),
                _ => (null, new Refusal(RefusalCode.NotActive, $"only a suspended terminal can be resumed; {serialNumber} is {r.Status}")),
            },
            (before, after) => Did(by, "terminal.resume", Standing(before), Standing(after)));
        if (refusal is null && connected)
        {
            link?.Resumed(serialNumber, sessionEpoch);
        }

        return refusal;
    }

    public Task<Refusal?> SetMaxAmount(long? maxAmountFen, Actor by) => Change(
        r => maxAmountFen is { } fen && (fen < 1 || fen > options.Value.MaxAmountFen)
            ? (null, new Refusal(RefusalCode.Amount, $"a terminal's limit is 1 to {options.Value.MaxAmountFen} fen (Terminals:MaxAmountFen); {fen} is not"))
            : (r.MaxAmountFen == maxAmountFen ? null : r with { MaxAmountFen = maxAmountFen }, null),
        (before, after) => Did(by, "terminal.limit", new { before.MaxAmountFen }, new { after.MaxAmountFen }));

    public Task<SetConfigurationAnswer> SetConfiguration(string json, Actor by) => SetConfiguration(json, null, by);

    public Task<SetConfigurationAnswer> SetConfigurationAfter(string json, long version, Actor by) => SetConfiguration(json, version, by);

    private async Task<SetConfigurationAnswer> SetConfiguration(string json, long? after, Actor by)
    {
        var document = ConfigurationDocument.TryParse(json, out var error);
        if (document is null)
        {
            return new SetConfigurationAnswer(new Refusal(RefusalCode.Malformed, error!), null);
        }

        var changed = false;
        var refusal = await Change(
            r =>
            {
                if (after is { } version && version != r.DesiredVersion)
                {
                    return (null, new Refusal(RefusalCode.ChangedMeanwhile, $"version {r.DesiredVersion} was set meanwhile; look at it and set yours again"));
                }

                changed = r.DesiredVersion == 0 || !document.Hash.AsSpan().SequenceEqual(r.DesiredHash);
                return changed
                    ? (r with { DesiredConfiguration = json, DesiredVersion = r.DesiredVersion + 1, DesiredHash = document.Hash }, null)
                    : (null, null);
            },
            (before, next) => Did(by, ConfigurationVersion.What, Version(before), Version(next)));
        if (refusal is null && changed && connected)
        {
            link?.ConfigurationChanged(serialNumber, sessionEpoch);
        }

        return new SetConfigurationAnswer(refusal, refusal is null or { Code: RefusalCode.ChangedMeanwhile } ? Desired() : null);
    }

    private Deed Did(Actor by, string what, object before, object after) => new(by, what, "terminal:" + serialNumber, before, after);

    /// <summary>What resuming it forgets is in the audit log.</summary>
    private static object Standing(TerminalRecord record) => record.OtherHardware is { } other ? new { record.Status, OtherHardware = other } : new { record.Status };

    private static object Version(TerminalRecord record) => new
    {
        Version = record.DesiredVersion,
        Document = string.IsNullOrEmpty(record.DesiredConfiguration) ? (JsonElement?)null : JsonElement.Parse(record.DesiredConfiguration),
    };
}
