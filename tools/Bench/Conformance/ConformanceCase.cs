namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>One demand of the specification that a bench can see.</summary>
/// <param name="Id">Its number; it stays.</param>
/// <param name="Demand">In a sentence.</param>
/// <param name="Section">Where it stands.</param>
/// <param name="IsSlow">It takes longer than 15 s, and is left out by <c>--quick</c>.</param>
/// <param name="NeedsLine">It is not run through a hub.</param>
internal sealed record ConformanceCase(string Id, string Demand, string Section, Func<Rig, Task> Run, bool IsSlow = false, bool NeedsLine = false)
{
    /// <summary>One that needs the line.</summary>
    /// <param name="hub">Why a hub cannot stand between; null: it does, and that is all.</param>
    public ConformanceCase(string id, string demand, string section, Func<LineRig, Task> run, bool isSlow = false, Phrase? hub = null)
        : this(id, demand, section, rig => run(hub is not null && rig is not LineRig ? throw new CaseBlockedException(hub) : rig.Line), isSlow, NeedsLine: true)
    {
    }
}
