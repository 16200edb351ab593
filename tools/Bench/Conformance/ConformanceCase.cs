namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>One demand of the specification that a bench can see.</summary>
/// <param name="Id">Its number; it stays.</param>
/// <param name="Demand">In a sentence.</param>
/// <param name="Section">Where it stands.</param>
/// <param name="IsSlow">It takes longer than 15 s, and is only run with <c>--slow</c>.</param>
internal sealed record ConformanceCase(string Id, string Demand, string Section, Func<Rig, Task> Run, bool IsSlow = false);
