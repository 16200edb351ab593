using System.Text.RegularExpressions;
using System.Xml.Linq;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Plans;
using DeviceHub.UnitTests.Tidy;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Phrase = DeviceHub.Tools.Bench.Phrase;
using ToolTexts = DeviceHub.Tools.Bench.Texts;

namespace DeviceHub.UnitTests.Bench;

/// <summary>Whatever the bench finds is told in Chinese too: what stands in the code, in each place where a finding is made, is in Findings.zh-Hans.resx.</summary>
public sealed partial class FindingsTests
{
    /// <summary>Where findings are made; each string within their arguments is one.</summary>
    private static readonly HashSet<string> Makers = ["Assert", "Expect", "ExpectSaid", "Quiet", "Measure", "CaseFailedException", "CaseBlockedException", "PortException", "Trips", "LeaveOut"];

    private static readonly IReadOnlyDictionary<string, string> Chinese = XDocument.Load(Path.Combine(Sources.Root, "tools/Bench/Findings.zh-Hans.resx")).Root!
        .Elements("data").ToDictionary(d => d.Attribute("name")!.Value, d => d.Element("value")!.Value, StringComparer.Ordinal);

    /// <summary>What has no words.</summary>
    private static readonly HashSet<string> SameInBoth = ["p50{0}", "p99{0}", "{0}: {1}", "", "ms", "s", "bytes", "dBm"];

    [Fact]
    public void Every_finding_is_there_in_Chinese()
    {
        var missing = InCode().Concat(ConformanceRun.Cases.Select(c => c.Demand)).Concat(Enum.GetNames<JigAction>()).Distinct()
            .Where(english => !SameInBoth.Contains(english) && !Chinese.ContainsKey(english)).Order(StringComparer.Ordinal);

        Assert.True(!missing.Any(), string.Join("\n", missing));
    }

    [Fact]
    public void Chinese_findings_are_used_and_have_the_same_values()
    {
        var used = InCode().Concat(ConformanceRun.Cases.Select(c => c.Demand)).Concat(Enum.GetNames<JigAction>()).Concat(["round trips", "link ACK"]).ToHashSet();

        Assert.DoesNotContain(Chinese.Keys, key => !used.Contains(key));
        Assert.All(Chinese, pair => Assert.Equal((pair.Key, Values(pair.Key)), (pair.Key, Values(pair.Value))));
        Assert.All(Chinese, pair => Assert.Contains(pair.Value, c => c > 0x2E80));
    }

    [Fact]
    public void Finding_is_told_in_the_language_of_the_bench_with_the_findings_within_it()
    {
        Phrase what = $"ACK of send {2}";
        Phrase finding = $"no {what} within {408.4:0} ms";

        Assert.Equal("no ACK of send 2 within 408 ms", finding.In(ToolTexts.In("en")));
        Assert.Equal("408 毫秒内没有第 2 次发送的 ACK", finding.In(ToolTexts.In("zh")));
    }

    private static IEnumerable<string> InCode() => Sources.All
        .Where(f => f.Path.StartsWith("tools/Bench/", StringComparison.Ordinal))
        .SelectMany(f => f.Tree.DescendantNodes())
        .Where(IsMaker)
        .SelectMany(node => node.ChildNodes().OfType<ArgumentListSyntax>().SelectMany(a => a.Arguments).Select(a => a.Expression)
            .Concat(node is CastExpressionSyntax cast ? [cast.Expression] : []))
        .SelectMany(Sentences);

    private static bool IsMaker(Microsoft.CodeAnalysis.SyntaxNode node) => node switch
    {
        InvocationExpressionSyntax { Expression: IdentifierNameSyntax name } => Makers.Contains(name.Identifier.Text),
        InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } => Makers.Contains(member.Name.Identifier.Text),
        ObjectCreationExpressionSyntax { Type: IdentifierNameSyntax type } => Makers.Contains(type.Identifier.Text),
        CastExpressionSyntax { Type: IdentifierNameSyntax type } => type.Identifier.Text == "Phrase",
        _ => false,
    };

    /// <summary>An argument's own sentence; not what is within a lambda or another call.</summary>
    private static IEnumerable<string> Sentences(ExpressionSyntax expression)
    {
        switch (expression)
        {
            case LiteralExpressionSyntax literal when literal.Token.Value is string text && text.Any(char.IsAsciiLetter):
                yield return text;
                break;
            case InterpolatedStringExpressionSyntax interpolated:
                var values = 0;
                yield return string.Concat(interpolated.Contents.Select(c => c is InterpolatedStringTextSyntax plain ? plain.TextToken.ValueText : $"{{{values++}}}"));
                break;
        }
    }

    private static string Values(string text) => string.Join(' ', Value().Matches(text).Select(m => m.Value).Order(StringComparer.Ordinal));

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Value();
}
