using System.Reflection;
using System.Text.Json.Serialization;
using DeviceHub.Tools.Bench.Conformance;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>What a run found: the contents of the signed file, of which the other forms are made. README.md, "Reports".</summary>
/// <param name="Schema">Of this record: 1.</param>
/// <param name="Tool">Name and version of the program.</param>
/// <param name="Kind"><c>conformance</c> or <c>test</c>.</param>
/// <param name="Plan">The plan's name; <c>conformance</c> has none of its own.</param>
/// <param name="Bench">The machine's name.</param>
/// <param name="Port">As it was given; empty: it went through a hub.</param>
/// <param name="Unit">Null: nothing ever said HELLO.</param>
/// <param name="Began">Wall clock of the bench.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Stopped">The operator ended it.</param>
/// <param name="Latencies">Of link acknowledgements and round trips.</param>
/// <param name="Hub">The address of the hub that stood between; null: none did.</param>
internal sealed record BenchReport(
    int Schema,
    string Tool,
    string Kind,
    string Plan,
    string Bench,
    string Port,
    UnitSeen? Unit,
    DateTimeOffset Began,
    double Seconds,
    bool Stopped,
    IReadOnlyList<StepResult> Steps,
    IReadOnlyList<Histogram> Latencies,
    string? Hub = null)
{
    public const int PresentSchema = 1;

    private static readonly string ThisTool = $"devicehub-bench {Assembly.GetExecutingAssembly().GetName().Version}";

    /// <summary>Of what a rig has found.</summary>
    /// <param name="from">When it began on the clock that never jumps.</param>
    public static BenchReport Of(
        Rig rig, string kind, string plan, DateTimeOffset began, TimeSpan from, bool stopped, IReadOnlyList<StepResult> steps, params IReadOnlyList<Histogram> latencies) => new(
        PresentSchema, ThisTool, kind, plan, Environment.MachineName, rig.Hub is null ? rig.Place : "", rig.Unit, began, Math.Round((Rig.Now - from).TotalSeconds, 1), stopped, steps,
        [.. rig.Latencies, .. latencies], rig.Hub);

    [JsonInclude]
    public Verdict Verdict =>
        Steps.Any(s => s.Status == StepStatus.Failed) ? Verdict.Fail
        : Stopped || !Steps.Any(s => s.Status == StepStatus.Passed) ? Verdict.Incomplete
        : Verdict.Pass;
}

internal enum Verdict { Pass, Fail, Incomplete }

/// <summary>The unit as it told of itself.</summary>
internal sealed record UnitSeen(string SerialNumber, string HardwareId, string Model, string Firmware);

internal enum StepStatus { Passed, Failed, Skipped }

/// <param name="Id">Of a conformance case, or the step's place in its plan.</param>
/// <param name="Section">Where the specification says so; null: nowhere.</param>
/// <param name="Detail">Why it failed or was skipped; empty: nothing to say.</param>
internal sealed record StepResult(
    string Id, string Title, string? Section, StepStatus Status, string Detail, IReadOnlyList<Measurement> Measured, double Seconds)
{
    /// <summary>Without the one that is over its limit: the detail tells it already.</summary>
    [JsonIgnore]
    public IEnumerable<Measurement> MoreMeasured => Measured.Where(m => m.IsGood);
}

/// <param name="AtLeast">Null: no such limit.</param>
/// <param name="AtMost">Null: no such limit.</param>
internal sealed record Measurement(string Name, double Value, string Unit, double? AtLeast = null, double? AtMost = null)
{
    [JsonIgnore]
    public bool IsGood => Value >= (AtLeast ?? double.MinValue) && Value <= (AtMost ?? double.MaxValue);
}

/// <summary>Counts by upper bounds in milliseconds; the last count is of what is above all bounds.</summary>
internal sealed record Histogram(string Name, IReadOnlyList<double> UpToMs, IReadOnlyList<int> Counts, double P50Ms, double P99Ms, double MaxMs);
