using System.Globalization;
using System.Reflection;
using System.Xml.Linq;
using DeviceHub.Channels;
using DeviceHub.Core.Payments;
using DeviceHub.Dashboard.Payments;
using DeviceHub.UnitTests.Tidy;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Localization;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>What the channels' tables write into the ledger is known to the pages; what a channel wrote itself is left as it is.</summary>
public sealed class ChannelWordsTests
{
    private static readonly string[] Keys =
        [.. XDocument.Load(Path.Combine(Sources.Root, "src", "DeviceHub.Dashboard", "Payments", "ChannelWords.resx")).Root!.Elements("data").Select(d => d.Attribute("name")!.Value)];

    [Fact]
    public void Every_sentence_of_the_tables_is_known()
    {
        var tables = typeof(VerdictTable).Assembly.GetTypes().SelectMany(t => t.GetMembers(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(m => m switch
            {
                FieldInfo { FieldType: var type } field when type == typeof(VerdictTable) => field.GetValue(null),
                PropertyInfo { PropertyType: var type } property when type == typeof(VerdictTable) => property.GetValue(null),
                _ => null,
            })
            .OfType<VerdictTable>().DistinctBy(t => t.Name).ToList();
        Assert.True(tables.Count > 15);
        Assert.Equal([], tables.SelectMany(t => t.Rows).Select(r => r.Says).Distinct().Except(Keys).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_sentence_is_known_that_no_channel_writes()
    {
        var source = string.Concat(Directory.EnumerateFiles(Path.Combine(Sources.Root, "src", "DeviceHub.Channels"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.Equal([], Keys.Where(key => !source.Contains('"' + key, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("NOTENOUGH", "not enough money", "余额不足", null)]
    [InlineData("E_9999", "a code that is in no table", "此代码不在已知代码表中，不能证明任何结果", null)]
    [InlineData("timeout", null, "未及时应答", null)]
    [InlineData("http503", null, "渠道服务器出错：HTTP 503", null)]
    [InlineData("SUCCESS", null, null, null)]
    [InlineData("return-fail", "签名错误", "渠道未受理请求", "签名错误")]
    [InlineData("P1207", "limit of the till", null, "limit of the till")]
    [InlineData("account", "the account has no key", "the account has no key", null)]
    public void Code_is_explained_and_only_the_channels_own_text_is_quoted(string code, string? text, string? meaning, string? quoted)
    {
        var before = CultureInfo.CurrentUICulture;
        try
        {
            CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo("zh-Hans");
            using var services = new ServiceCollection().AddLogging().AddLocalization().BuildServiceProvider();
            var words = new ChannelWords(services.GetRequiredService<IStringLocalizer<ChannelWords>>());
            var said = new ChannelVerdict(Verdict.Unknown, code, text);
            Assert.Equal((meaning, quoted), (words.Meaning(said), words.Quoted(said)));
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }
}
