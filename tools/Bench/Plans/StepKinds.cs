using DeviceHub.Tools.Bench.Codes;
using DeviceHub.Tools.Bench.Conformance;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>The kinds of steps that a plan can have; README.md, "Steps", has them in a table.</summary>
internal static class StepKinds
{
    /// <summary>The kind whose codes are drawn by <c>codes</c>.</summary>
    public const string DecodeRate = "decode-rate";

    private static readonly TextField Ask = new("ask", "");
    private static readonly TextField AskZh = new("ask-zh", "");

    /// <summary>As they are named in a plan.</summary>
    public static IReadOnlyDictionary<string, Symbology> Symbologies { get; } = new Dictionary<string, Symbology> { ["code-128"] = Symbology.Code128, ["qr"] = Symbology.Qr };

    public static IReadOnlyList<StepKind> All { get; } =
    [
        new("identity", [new TextField("model", ""), new TextField("firmware", ""), new TextField("hardware-id", ""), new TextField("serial-number", "")], UnitSteps.Identity),
        new("key-proof", [], UnitSteps.KeyProof),
        new("heartbeat", [new NumberField("count", 2, 1, 1000), new NumberField("interval-s", 30, 30, 3600, "s"), new NumberField("jitter-ms", 1500, 1, 60_000, "ms")], UnitSteps.Heartbeat),
        new("signal", [new NumberField("at-least-dbm", -100, -150, -1, "dBm")], UnitSteps.Signal),
        new("sim", [new TextField("iccid", "^[0-9A-Za-z]{19,20}$")], UnitSteps.Sim),
        new("battery", [new NumberField("at-least-percent", 20, 0, 100, "%")], UnitSteps.Battery),
        new("configuration",
            [new NumberField("apply-ms", 3000, 10, 60_000, "ms"), new ListField("refused", [], s => UnitSteps.Setting(s) is not null, "KEY=VALUE")], UnitSteps.Configuration),
        new("round-trips", [new NumberField("count", 100, 1, 100_000), new NumberField("bytes", 64, 4, 500, "bytes"), new NumberField("p99-ms", 200, 1, 60_000, "ms")], LinkSteps.RoundTrips),
        new("baud", [new NumberField("count", 50, 1, 100_000), new NumberField("p99-ms", 200, 1, 60_000, "ms")], LinkSteps.Baud),
        new("noise",
            [
                new NumberField("flip", 0.0005, 0, 0.1), new NumberField("drop", 0.0005, 0, 0.1), new NumberField("repeat", 0.0005, 0, 0.1), new NumberField("delay-ms", 0, 0, 1000, "ms"),
                new NumberField("count", 50, 1, 100_000), new NumberField("seed", 1, 0, int.MaxValue),
            ], LinkSteps.Noise),
        new("conformance", [new ListField("cases", ["S", "L"], IsCase, "no case begins so (devicehub-bench conformance --list)")], LinkSteps.Conformance),
        new("payment",
            [
                new TextField("result", "approved", ["approved", "declined", "in-doubt", "late"]), new TextField("code", PaymentCases.Code), new NumberField("amount", 12.80, 0.01, 50_000, "yuan"),
                new NumberField("request-ms", 2000, 1, 60_000, "ms"), new NumberField("shown-ms", 1000, 1, 60_000, "ms"), Ask, AskZh,
            ], MoneySteps.Payment),
        new(DecodeRate,
            [
                new ListField("codes", [PaymentCases.Code], DrawnCode.CanBe, "1 to 64 printable characters of ASCII"),
                new ListField("symbologies", [.. Symbologies.Keys], Symbologies.ContainsKey, "one of " + string.Join(", ", Symbologies.Keys)),
                new NumberField("times", 1, 1, 100), new NumberField("at-least-percent", 99, 0, 100, "%"), new NumberField("each-s", 10, 1, 120, "s"),
            ], MoneySteps.DecodeRate),
        new("cashier", [], CashierSteps.Table),
        new("show", [new TextField("text", "𠮷野家 䶮 㐂 Ω"), Ask, AskZh], MoneySteps.Show),
        new("prompt", [Ask, AskZh], UnitSteps.Prompt),
        new("power-cut", [new NumberField("back-s", 30, 1, 600, "s")], UnitSteps.PowerCut),
        new("command", [new TextField("run", "true"), new TextField("unit", ""), new NumberField("at-least", double.MinValue, double.MinValue, double.MaxValue), new NumberField("at-most", double.MaxValue, double.MinValue, double.MaxValue)], UnitSteps.Command),
        new("soak", [new NumberField("hours", 1, 0.0005, 720, "h"), new NumberField("every-ms", 500, 10, 60_000, "ms"), new NumberField("p99-ms", 300, 1, 60_000, "ms"), new NumberField("lost", 0, 0, 1_000_000)], LinkSteps.Soak),
    ];

    private static bool IsCase(string prefix) => prefix.Length > 0 && ConformanceRun.Cases.Any(c => c.Id.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
