using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace DeviceHub.UnitTests.Tidy;

public sealed class TidyTests
{
    private const int MaxFileLines = 400;
    private const int MaxMethodLines = 70;

    /// <summary>The one place where a test may wait for real time.</summary>
    private const string Eventually = "tests/Shared/Eventually.cs";

    /// <summary>A process that tests run, not a test: a bank takes its time to answer.</summary>
    private const string Bank = "tests/SandboxHost/";

    /// <summary>Where a moment of real time is the test itself: a process killed or frozen in it, a zip's time stamp of two seconds, a page that draws.</summary>
    private static readonly string[] LetTimePass =
    [
        "tests/DeviceHub.IntegrationTests/Kill/PaymentKillTests.cs", "tests/DeviceHub.IntegrationTests/Firmware/CKitTests.cs",
        "tests/DeviceHub.IntegrationTests/Bench/PlanStepsTests.cs", "tests/DeviceHub.IntegrationTests/Reconciliation/RepeatedReportTests.cs",
        "tests/DeviceHub.BrowserTests/Screenshots.cs",
    ];

    [Fact]
    public void Sources_are_found() => Assert.InRange(Sources.All.Count, 30, 5000);

    [Fact]
    public void Files_have_at_most_400_lines() =>
        None(Sources.All.Where(f => f.Lines > MaxFileLines).Select(f => $"{f.Path}:{MaxFileLines + 1} the file has {f.Lines} lines, at most {MaxFileLines} are allowed"));

    [Fact]
    public void Methods_have_at_most_70_lines() =>
        None(from file in Sources.All
             from node in file.Tree.DescendantNodes()
             where node is BaseMethodDeclarationSyntax or AccessorDeclarationSyntax or LocalFunctionStatementSyntax
             let span = node.GetLocation().GetLineSpan()
             let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1
             where lines > MaxMethodLines
             select $"{file.At(node)} the method has {lines} lines, at most {MaxMethodLines} are allowed");

    [Fact]
    public void Namespaces_are_file_scoped() =>
        None(from file in Sources.All
             from node in file.Tree.DescendantNodes().OfType<NamespaceDeclarationSyntax>()
             select $"{file.At(node)} the namespace has a block; end it with a semicolon");

    [Fact]
    public void Time_comes_from_a_TimeProvider() =>
        None(from file in Sources.All
             from node in file.Tree.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
             where Name(node) is "DateTime.Now" or "DateTime.UtcNow" or "DateTime.Today" or "DateTimeOffset.Now" or "DateTimeOffset.UtcNow"
             select $"{file.At(node)} {Name(node)} reads a clock that no test can turn; take a TimeProvider");

    [Fact]
    public void The_product_measures_time_by_a_TimeProvider() =>
        None(from file in Sources.All.Where(f => f.Path.StartsWith("src/", StringComparison.Ordinal))
             from node in file.Tree.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
             where Name(node) is "Stopwatch.StartNew" or "Stopwatch.GetTimestamp" or "Stopwatch.GetElapsedTime" or "Environment.TickCount" or "Environment.TickCount64"
             select $"{file.At(node)} {Name(node)} reads a clock that no test can turn; take a TimeProvider");

    [Fact]
    public void Tests_wait_only_in_Eventually() =>
        None(from file in Sources.All.Where(f => f.Path.StartsWith("tests/", StringComparison.Ordinal) && f.Path != Eventually && !f.Path.StartsWith(Bank, StringComparison.Ordinal))
             from node in file.Tree.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
             where Name(node) is "Task.Delay" or "Thread.Sleep"
             select $"{file.At(node)} {Name(node)} in a test; use virtual time, or Eventually for real processes and sockets");

    [Fact]
    public void Time_that_just_passes_is_for_real_processes() =>
        None(from file in Sources.All.Where(f => f.Path.StartsWith("tests/", StringComparison.Ordinal) && !LetTimePass.Contains(f.Path))
             from node in file.Tree.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
             where Name(node) is "Eventually.Passes"
             select $"{file.At(node)} {Name(node)}: a sleep; wait for what is to happen, or use virtual time");

    [Fact]
    public void Core_never_blocks_on_a_task_nor_leaves_its_scheduler() =>
        None(from file in Sources.All.Where(f => f.Path.StartsWith("src/DeviceHub.Core/", StringComparison.Ordinal))
             from node in file.Tree.DescendantNodes().OfType<InvocationExpressionSyntax>()
             let called = (node.Expression as MemberAccessExpressionSyntax)?.Name.Identifier.Text
             where called is "ConfigureAwait" || (called is "Wait" && node.ArgumentList.Arguments.Count == 0) || (called is "GetResult" && node.ToString().Contains("GetAwaiter", StringComparison.Ordinal))
             select $"{file.At(node)} {called} in Core, where grains run; await instead");

    private static string Name(MemberAccessExpressionSyntax node) => $"{(node.Expression as IdentifierNameSyntax)?.Identifier.Text}.{node.Name.Identifier.Text}";

    private static void None(IEnumerable<string> faults)
    {
        var all = faults.ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }
}
