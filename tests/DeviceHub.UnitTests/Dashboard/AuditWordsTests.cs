using System.Globalization;
using DeviceHub.Core.People;
using DeviceHub.Dashboard;
using DeviceHub.Dashboard.Shared;
using DeviceHub.Dashboard.Terminals;
using DeviceHub.UnitTests.Tidy;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>What the audit log has of a terminal is told as a sentence that leads to what it is about.</summary>
public sealed class AuditWordsTests
{
    [Theory]
    [InlineData("terminal.suspend", """{"status":"active"}""", """{"status":"suspended"}""", "Suspended this terminal: it refuses new payments.", null)]
    [InlineData("terminal.resume", """{"status":"suspended","otherHardware":{"hardwareId":"HW-9","address":"10.0.0.9","at":"2026-11-27T08:00:00+00:00"}}""", """{"status":"active"}""", "Let this terminal take payments again, after the device HW-9 had tried to log in with its key.", null)]
    [InlineData("terminal.limit", """{"maxAmountFen":null}""", """{"maxAmountFen":50000}""", "Set its limit of one payment to ¥500.00; before: the hub’s limit.", null)]
    [InlineData("terminal.limit", """{"maxAmountFen":50000}""", """{"maxAmountFen":null}""", "Took away its own limit of one payment, which was ¥500.00.", null)]
    [InlineData("terminal.configuration", """{"version":2,"document":{}}""", """{"version":3,"document":{}}""", "Sent it version 3 of its configuration.", "/terminals/SN1/configuration")]
    [InlineData("terminal.test-payment", null, """{"requestId":"test-1","ending":"inDoubt","amountFen":23}""", "Made a test payment of ¥0.23 that was to be in doubt at first.", "/payments/SN1/test-1")]
    [InlineData("charge.create", null, """{"id":"c1","amountFen":1200,"orderNumber":"A 7"}""", "Asked it to collect ¥12.00 for order A 7.", "/payments?terminal=SN1&order=A%207")]
    [InlineData("charge.create", null, """{"id":"c1","amountFen":1200,"orderNumber":null}""", "Asked it to collect ¥12.00.", null)]
    [InlineData("charge.cancel", """{"id":"c1"}""", null, "Cancelled a charge that this terminal was to collect.", null)]
    [InlineData("terminal.paint", "no JSON", "[1]", "Did something that this page has no words for.", null)]
    [InlineData("terminal.limit", "[]", null, "Took away its own limit of one payment, which was the hub’s limit.", null)]
    public void Entry_is_told_and_leads_to_its_thing(string what, string? before, string? after, string text, string? link)
    {
        var sentence = In("en", words => words.Of(new AuditEntry(DateTimeOffset.UnixEpoch, "user:admin", null, what, before, after), "SN1"));
        Assert.Equal((text, link), (sentence.Text, sentence.Link));
    }

    /// <summary>Whoever writes of a terminal says what it is here, too.</summary>
    [Fact]
    public void Everything_that_is_done_to_terminals_has_words()
    {
        var written = new[] { "src/DeviceHub.Core", "src/DeviceHub.Server" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Sources.Root, folder), "*.cs", SearchOption.AllDirectories))
            .SelectMany(file => System.Text.RegularExpressions.Regex.Matches(File.ReadAllText(file), "\"((?:terminal|charge)\\.[a-z-]+)\", ?(?:await|\"terminal:\")|Did\\(by, \"(terminal\\.[a-z-]+)\"").Select(m => m.Groups[1].Value + m.Groups[2].Value)).Distinct().ToList();
        Assert.True(written.Count > 4, string.Join(' ', written));
        Assert.Equal([], written.Where(what => In("en", words => words.Of(new AuditEntry(default, "x", null, what, null, null), "SN1")).Text.StartsWith("Did something", StringComparison.Ordinal)));
    }

    [Fact]
    public void Entry_is_told_in_Chinese() => Assert.Equal(
        "将单笔限额设为 ¥500.00（此前：平台限额）。",
        In("zh-Hans", words => words.Of(new AuditEntry(DateTimeOffset.UnixEpoch, "user:admin", null, "terminal.limit", null, """{"maxAmountFen":50000}"""), "SN1")).Text);

    private static AuditSentence In(string culture, Func<AuditWords, AuditSentence> say)
    {
        var before = CultureInfo.CurrentUICulture;
        try
        {
            CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(culture);
            using var services = new ServiceCollection().AddLogging().AddLocalization().AddSingleton(TimeProvider.System).AddSingleton(Options.Create(new DashboardOptions()))
                .AddSingleton<Format>().AddSingleton<AuditWords>().BuildServiceProvider();
            return say(services.GetRequiredService<AuditWords>());
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }
}
