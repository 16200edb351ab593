using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Shouqianba;

/// <summary>A terminal that was activated. The key before the current one is good for one thing: to ask again for the current one.</summary>
/// <param name="KeyDay">When the current key was given out; it pays on that day only.</param>
internal sealed record ActiveTerminal(string Sn, string Vendor, string DeviceId, string Key, string? KeyBefore, DateOnly KeyDay);

[JsonSerializable(typeof(ActiveTerminal))]
internal sealed partial class TerminalJson : JsonSerializerContext;

/// <summary>Vendors, activation codes and the terminals' keys, which change with every check-in.</summary>
internal sealed class Terminals
{
    private const int MaxTerminals = 100_000;

    private readonly ConcurrentDictionary<string, ActiveTerminal> terminals = new();
    private readonly Dictionary<string, ShouqianbaVendor> vendors;
    private readonly Dictionary<string, int> uses = [];
    private readonly string? path;
    private readonly ChannelClock clock;
    private readonly Lock gate = new();

    /// <param name="path">Where they are kept; null: in memory.</param>
    public Terminals(ShouqianbaPlatform platform, string? path, ChannelClock clock)
    {
        (vendors, this.path, this.clock) = (platform.Vendors.ToDictionary(v => v.VendorSn), path, clock);
        if (path is not null && File.Exists(path))
        {
            foreach (var line in File.ReadLines(path).Where(l => l.EndsWith('}')))
            {
                var terminal = JsonSerializer.Deserialize(line, TerminalJson.Default.ActiveTerminal)!;
                terminals[terminal.Sn] = terminal;
            }
        }
    }

    public ShouqianbaVendor? Vendor(string sn) => vendors.GetValueOrDefault(sn);

    public ActiveTerminal? Find(string sn) => terminals.GetValueOrDefault(sn);

    /// <summary>Whether its key may sign payments today.</summary>
    public bool IsFresh(ActiveTerminal terminal) => terminal.KeyDay == ChannelClock.Day(clock.NowMs);

    /// <summary>Null: the code is not the vendor's, or used up, or the device is active already.</summary>
    public ActiveTerminal? Activate(ShouqianbaVendor vendor, string code, string deviceId)
    {
        lock (gate)
        {
            var used = uses.GetValueOrDefault(code);
            if (!vendor.Codes.TryGetValue(code, out var allowed) || used >= allowed || terminals.Count >= MaxTerminals || terminals.Values.Any(t => t.Vendor == vendor.VendorSn && t.DeviceId == deviceId))
            {
                return null;
            }

            uses[code] = used + 1;
            return Keep(new("1" + RandomNumberGenerator.GetString("0123456789", 17), vendor.VendorSn, deviceId, NewKey(), null, ChannelClock.Day(clock.NowMs)));
        }
    }

    /// <summary>A new key; for who signed with the one before, the current one again, since the answer with it was lost.</summary>
    public ActiveTerminal CheckIn(ActiveTerminal terminal, bool signedWithKeyBefore)
    {
        lock (gate)
        {
            return signedWithKeyBefore ? terminal : Keep(terminal with { Key = NewKey(), KeyBefore = terminal.Key, KeyDay = ChannelClock.Day(clock.NowMs) });
        }
    }

    private ActiveTerminal Keep(ActiveTerminal terminal)
    {
        terminals[terminal.Sn] = terminal;
        if (path is not null)
        {
            File.AppendAllText(path, JsonSerializer.Serialize(terminal, TerminalJson.Default.ActiveTerminal) + "\n");
        }

        return terminal;
    }

    private static string NewKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}
