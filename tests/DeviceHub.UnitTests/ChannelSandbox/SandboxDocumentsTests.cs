using System.Text.RegularExpressions;
using System.Xml.Linq;
using DeviceHub.Tools.ChannelSandbox.Alipay;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Shouqianba;
using DeviceHub.Tools.ChannelSandbox.WeChat;
using DeviceHub.UnitTests.Tidy;

namespace DeviceHub.UnitTests.ChannelSandbox;

public sealed partial class SandboxDocumentsTests
{
    private static readonly string Folder = Path.Combine(Sources.Root, "tools/ChannelSandbox");
    private static readonly string Readme = File.ReadAllText(Path.Combine(Folder, "README.md"));

    [Fact]
    public void Sandbox_shares_no_code_with_the_clients_that_are_tested_with_it()
    {
        var project = XDocument.Load(Path.Combine(Folder, "ChannelSandbox.csproj"));
        Assert.Empty(project.Descendants("ProjectReference"));
        Assert.Empty(project.Descendants("Compile"));
    }

    [Fact]
    public void Readme_has_the_amounts_as_they_are() =>
        Assert.Equal(
            FaultTable.Table.Select(f => $"| {f.Ending:d2} | {f.Name} | {f.Says} |"),
            AmountRow().Matches(Readme).Select(m => m.Value.TrimEnd()));

    [Theory]
    [InlineData("WeChat v2")]
    [InlineData("WeChat v3")]
    [InlineData("Alipay")]
    [InlineData("Shouqianba")]
    public void Readme_has_the_codes_in_the_order_of_their_rows(string dialect)
    {
        var table = dialect switch { "WeChat v2" => WeChatCodes.V2, "WeChat v3" => WeChatCodes.V3, "Alipay" => AlipayCodes.Table, _ => ShouqianbaCodes.Table };
        var paragraph = Readme.Split('\n').Single(line => line.StartsWith($"- **{dialect}**: ", StringComparison.Ordinal));

        Assert.Equal(string.Join(", ", table.Rows.Select((row, i) => $"{i + 1:d2} {row.Code}")), paragraph[(dialect.Length + 8)..]);
        Assert.InRange(table.Rows.Count, 20, 99);
    }

    [GeneratedRegex(@"^\| \d\d \|.*$", RegexOptions.Multiline)]
    private static partial Regex AmountRow();
}
