namespace DeviceHub.Tools.Bench.Plans;

/// <summary>What is done to each unit.</summary>
/// <param name="LimitSeconds">For the whole unit; what is over it fails.</param>
/// <param name="Before">A command of the shell before each unit; null: none.</param>
/// <param name="After">A command after each unit, with its verdict in BENCH_VERDICT; null: none.</param>
/// <param name="Jig">Commands that act upon the unit.</param>
internal sealed record Plan(
    string Name, double LimitSeconds, string? Before, string? After, IReadOnlyDictionary<Conformance.JigAction, string> Jig, IReadOnlyList<PlanStep> Steps);

/// <summary>One step, with every field that its kind has: what the plan does not say is the kind's own.</summary>
/// <param name="At">Line and column in the plan, from 1.</param>
internal sealed record PlanStep(StepKind Kind, IReadOnlyDictionary<string, object> Fields, (int Line, int Column) At)
{
    public double Number(string name) => (double)Fields[name];

    public string Text(string name) => (string)Fields[name];

    public IReadOnlyList<string> List(string name) => (IReadOnlyList<string>)Fields[name];
}

/// <summary>What a field may be.</summary>
internal abstract record FieldRule(string Name, object Standard);

/// <param name="Unit">For the text of an error.</param>
internal sealed record NumberField(string Name, double Usual, double Least, double Most, string Unit = "") : FieldRule(Name, Usual);

/// <param name="Allowed">Null: any text.</param>
internal sealed record TextField(string Name, string Usual, IReadOnlyList<string>? Allowed = null) : FieldRule(Name, Usual);

internal sealed record ListField(string Name, IReadOnlyList<string> Usual, Func<string, bool> IsGood, string Wanted) : FieldRule(Name, Usual);

/// <summary>A kind of step.</summary>
/// <param name="Name">As in a plan; its title is the text <c>Step_NAME</c>.</param>
internal sealed record StepKind(string Name, IReadOnlyList<FieldRule> Fields, Func<StepContext, Task> Run);

/// <summary>What a step has to do with.</summary>
/// <param name="LimitS">Of the whole unit, in seconds.</param>
internal sealed record StepContext(PlanStep Step, Conformance.Rig Rig, IOperator Operator, Reports.LatencyBook Latencies, Texts Texts, double LimitS)
{
    /// <summary>Of a step that needs the line; through a hub it is not run.</summary>
    public Conformance.LineRig Line => Rig.Line;
}

/// <summary>Who looks at the unit, and answers.</summary>
internal interface IOperator
{
    bool IsThere { get; }

    /// <summary>A question that is answered with yes or no.</summary>
    Task<bool> Ask(string question, CancellationToken cancellation);
}
