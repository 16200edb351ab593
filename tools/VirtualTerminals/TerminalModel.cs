using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>A kind of terminal as the field has them: how it speaks, what it can show, and how large a message it takes.</summary>
/// <param name="Seals">False: of a model that the hub lets pay without seals, as a person with a JSON client does.</param>
public sealed record TerminalModel(
    string Name, WireEncoding Encoding, bool Seals, uint MaxMessageBytes, TextEncoding TextEncoding, uint TextColumns, params string[] Capabilities)
{
    public static readonly TerminalModel CounterPos =
        new("counter-pos", WireEncoding.Protobuf, true, 4096, TextEncoding.Utf8, 32, "screen", "speech", "printer", "collect");

    public static readonly TerminalModel ScanBox = new("scan-box", WireEncoding.Protobuf, true, 1024, TextEncoding.Gb18030, 16, "screen", "speech", "collect");

    /// <summary>The smallest machine that the protocol allows: one light, one buzzer, 512 bytes.</summary>
    public static readonly TerminalModel ScannerGun = new("scanner-gun", WireEncoding.Protobuf, true, 512, TextEncoding.None, 0, "light", "buzzer", "collect");

    /// <summary>Behind a modem that carries text only.</summary>
    public static readonly TerminalModel JsonBox = new("json-box", WireEncoding.Json, true, 2048, TextEncoding.Ascii, 20, "screen", "buzzer", "collect");

    public static readonly TerminalModel PlainScanner = new("plain-scanner", WireEncoding.Json, false, 2048, TextEncoding.Utf8, 32, "screen", "collect");

    public static IReadOnlyList<TerminalModel> Known { get; } = [CounterPos, ScanBox, ScannerGun, JsonBox, PlainScanner];
}

/// <summary>One model's part of a fleet; shares are weights against each other.</summary>
public sealed record ModelShare(TerminalModel Model, double Weight)
{
    /// <summary>Spreads the models over numbers from 1 such that every stretch of them has about the mix.</summary>
    public static IEnumerable<TerminalModel> Spread(IReadOnlyList<ModelShare> mix)
    {
        var total = mix.Sum(m => m.Weight);
        var given = new double[mix.Count];
        for (var n = 1L; ; n++)
        {
            var next = Enumerable.Range(0, mix.Count).MaxBy(i => (n * mix[i].Weight / total) - given[i]);
            given[next]++;
            yield return mix[next].Model;
        }
    }
}
