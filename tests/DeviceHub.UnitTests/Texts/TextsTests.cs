using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Terminals;
using DeviceHub.UnitTests.Tidy;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Wire = DeviceHub.Protocol.Wire;

namespace DeviceHub.UnitTests.Texts;

/// <summary>What people read is there in both languages, is used, and has the numbers of the specification.</summary>
public sealed partial class TextsTests
{
    private const string Cashier = "src/DeviceHub.Gateways/Texts/Cashier";

    [Theory]
    [InlineData(Cashier)]
    [InlineData("src/DeviceHub.Server/Texts")]
    public void Every_text_is_in_both_languages_with_the_same_arguments(string resources)
    {
        var english = Read(resources + ".resx");
        var chinese = Read(resources + ".zh-Hans.resx");
        Assert.NotEmpty(english);
        Assert.Equal(english.Keys.Order(StringComparer.Ordinal), chinese.Keys.Order(StringComparer.Ordinal));
        foreach (var (key, text) in english)
        {
            Assert.Equal((key, Arguments(text)), (key, Arguments(chinese[key])));
            Assert.True(key == "Home" || chinese[key].Any(c => c > 0x2E80), $"{key} is not Chinese: {chinese[key]}");
        }
    }

    [Theory]
    [InlineData(Cashier, "src/DeviceHub.Gateways/")]
    [InlineData("src/DeviceHub.Server/Texts", "src/DeviceHub.Server/")]
    public void Every_text_is_used(string resources, string code)
    {
        var literals = Sources.All.Where(f => f.Path.StartsWith(code, StringComparison.Ordinal))
            .SelectMany(f => f.Tree.DescendantTokens()).Where(t => t.Value is string).Select(t => (string)t.Value!)
            .Concat(Sent.Select(TextId)).Concat(InReports).ToHashSet(StringComparer.Ordinal);
        Assert.DoesNotContain(Read(resources + ".resx").Keys, key => !literals.Contains(key));
    }

    [Fact]
    public void Every_kind_of_difference_payment_wallet_and_terminal_has_a_text() => Assert.All(InReports, name => Assert.Contains(name, Read("src/DeviceHub.Server/Texts.resx").Keys));

    [Fact]
    public void Every_refusal_has_its_code_on_the_wire_and_a_text()
    {
        Assert.Equal(
            Sent.Select(c => $"{(int)c} {c}"),
            Enum.GetValues<Wire.Refusal.Types.Code>().Where(c => c != 0).Select(c => $"{(int)c} {c}"));
        var texts = Read(Cashier + ".resx");
        Assert.All(Sent, code => Assert.Contains(TextId(code), texts.Keys));
    }

    [Fact]
    public void Clips_have_the_numbers_of_the_specification()
    {
        var mapping = Sources.All.Single(f => f.Path == "src/DeviceHub.Gateways/WireMapping.cs").Tree;
        var clips = mapping.DescendantNodes().OfType<ClassDeclarationSyntax>().Single(c => c.Identifier.Text == "Clip").Members.OfType<FieldDeclarationSyntax>()
            .Select(f => f.Declaration.Variables[0]).ToDictionary(v => v.Identifier.Text.ToUpperInvariant(), v => v.Initializer!.Value.ToString());
        var specified = File.ReadAllLines(Path.Combine(Sources.Root, "firmware-protocol", "README.md"))
            .Select(line => StateWithClip().Match(line)).Where(m => m.Success)
            .ToDictionary(m => m.Groups[1].Value.Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant(), m => m.Groups[2].Value);
        Assert.NotEmpty(clips);
        foreach (var (state, number) in clips)
        {
            Assert.True(specified.TryGetValue(state, out var there), $"the specification has no clip for {state}: {string.Join(", ", specified.Keys)}");
            Assert.Equal((state, there), (state, number));
        }
    }

    /// <summary>Refusals that a terminal can be told.</summary>
    private static IEnumerable<RefusalCode> Sent => Enum.GetValues<RefusalCode>().Where(c => c is > RefusalCode.None and < RefusalCode.StaleSession);

    /// <summary>Names that a report makes of what it shows.</summary>
    private static IEnumerable<string> InReports =>
        Enum.GetNames<DifferenceClass>().Select(n => "Class" + n).Concat(Enum.GetNames<DifferenceReason>().Select(n => "Reason" + n))
            .Concat(Enum.GetNames<PaymentStatus>().Select(n => "Status" + n)).Concat(Enum.GetValues<Wallet>().Where(w => w != Wallet.None).Select(w => "Wallet" + w))
            .Concat(Enum.GetValues<TerminalStatus>().Where(s => s != TerminalStatus.None).Select(s => "TerminalStatus" + s)).Concat(Enum.GetNames<TerminalState>().Select(n => "TerminalState" + n));

    private static string TextId(RefusalCode code) => "refusal_" + NewWord().Replace(code.ToString(), "_$0").ToLower(CultureInfo.InvariantCulture);

    private static string Arguments(string text) => string.Join(' ', Argument().Matches(text).Select(m => m.Value).Order(StringComparer.Ordinal));

    private static Dictionary<string, string> Read(string file) =>
        XDocument.Load(Path.Combine(Sources.Root, file)).Root!.Elements("data").ToDictionary(d => d.Attribute("name")!.Value, d => d.Element("value")!.Value, StringComparer.Ordinal);

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Argument();

    [GeneratedRegex("(?<=[a-z])[A-Z]")]
    private static partial Regex NewWord();

    [GeneratedRegex(@"^\| \**([A-Za-z ]+?)\** \|.*\| clip (\d+)")]
    private static partial Regex StateWithClip();
}
