using System.Security.Cryptography;
using System.Xml.Linq;
using DeviceHub.Tools.Bench;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.UnitTests.Bench;

public sealed class ReportTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("report-").FullName;
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        key.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Report_is_read_back_as_it_was_written()
    {
        var path = Write(SignedReport.Write(Report(), key));

        var (report, publicKey) = SignedReport.Read(path)!.Value;

        Assert.Equal("T0000001", report.Unit!.SerialNumber);
        Assert.Equal(Verdict.Fail, report.Verdict);
        Assert.Equal(["S01", "S02", "S03"], report.Steps.Select(s => s.Id));
        Assert.Equal(new Measurement("ACK after", 12.5, "ms", null, 408), Assert.Single(report.Steps[0].Measured));
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), publicKey);
    }

    [Fact]
    public void No_single_byte_of_a_report_can_be_changed_unseen()
    {
        var good = SignedReport.Write(Report(), key);
        for (var at = 0; at < good.Length; at++)
        {
            var changed = (byte[])good.Clone();
            changed[at] ^= (byte)(at % 2 == 0 ? 0x01 : 0x20);
            Assert.False(Holds(changed), $"byte {at} of {good.Length} changed from {good[at]:x2} to {changed[at]:x2}");
        }

        Assert.False(Holds([.. good, (byte)' ']));
        Assert.False(Holds(good[..^1]));
        Assert.True(Holds(good));
    }

    [Theory]
    [InlineData("en", "FAIL", "12.5 ms (at most 408)")]
    [InlineData("zh", "不合格", "12.5 ms (至多 408)")]
    public void Page_needs_nothing_else_and_lets_nothing_of_the_unit_in_as_markup(string language, string verdict, string measured)
    {
        var page = HtmlReport.Write(Report(), "0123", DeviceHub.Tools.Bench.Texts.In(language));

        Assert.Contains(verdict, page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("href=", page, StringComparison.Ordinal);
        Assert.Contains("<svg", page, StringComparison.Ordinal);
        Assert.Contains(measured, page, StringComparison.Ordinal);
    }

    [Fact]
    public void JUnit_counts_what_failed_and_what_was_not_run()
    {
        var suite = XDocument.Parse(JUnitReport.Write(Report())).Root!.Element("testsuite")!;

        Assert.Equal(("3", "1", "1"), (suite.Attribute("tests")!.Value, suite.Attribute("failures")!.Value, suite.Attribute("skipped")!.Value));
        Assert.Equal("no ACK within 408 ms ?", suite.Descendants("failure").Single().Attribute("message")!.Value);
    }

    [Fact]
    public void Run_that_was_stopped_or_tested_nothing_is_no_pass()
    {
        var passed = Report().Steps.Take(1).ToList();
        Assert.Equal(Verdict.Pass, (Report() with { Steps = passed }).Verdict);
        Assert.Equal(Verdict.Incomplete, (Report() with { Steps = passed, Stopped = true }).Verdict);
        Assert.Equal(Verdict.Incomplete, (Report() with { Steps = [] }).Verdict);
    }

    [Fact]
    public void Key_is_made_once_and_only_its_owner_can_read_it()
    {
        var home = new BenchHome(Path.Combine(folder, "home"));
        Assert.Null(SigningKey.LoadIfThere(home));

        using var made = SigningKey.LoadOrMake(home);
        using var again = SigningKey.LoadOrMake(home);

        Assert.Equal(made.ExportSubjectPublicKeyInfo(), again.ExportSubjectPublicKeyInfo());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(home.SigningKeyFile));
        }
    }

    [Fact]
    public void Key_that_cannot_be_kept_or_read_is_told_with_its_file()
    {
        var file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        var home = new BenchHome(file);
        Assert.Contains(home.SigningKeyFile, Assert.Throws<BadInputException>(() => SigningKey.LoadOrMake(home)).Message, StringComparison.Ordinal);

        Directory.CreateDirectory(Path.Combine(folder, "home", "bench.key"));
        var taken = new BenchHome(Path.Combine(folder, "home"));
        Assert.Contains(taken.SigningKeyFile, Assert.Throws<BadInputException>(() => SigningKey.LoadOrMake(taken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Kept_key_of_a_unit_that_is_damaged_is_told_as_what_ends_the_line()
    {
        var home = new BenchHome(Path.Combine(folder, "home"));
        var keys = new DeviceHub.Tools.Bench.Link.TerminalKeys(home, null);
        home.WriteSecret("keys/T0000001.key", "garbage");

        Assert.Contains("keys/T0000001.key", Assert.Throws<IOException>(() => keys.Find("T0000001")).Message, StringComparison.Ordinal);
        Assert.Null(keys.Find("T0000002"));
    }

    [Fact]
    public void Percentiles_of_latencies_are_within_5_percent_and_a_long_soak_takes_no_more_memory()
    {
        var book = new LatencyBook("link ACK");
        for (var i = 1; i <= 1000; i++)
        {
            book.Add(i);
        }

        var histogram = book.ToHistogram();
        Assert.InRange(histogram.P50Ms, 500, 525);
        Assert.InRange(histogram.P99Ms, 990, 1000);
        Assert.Equal(1000, histogram.MaxMs);
        Assert.Equal(1000, histogram.Counts.Sum());
        Assert.Equal(10, histogram.Counts.Take(4).Sum());
    }

    private static BenchReport Report() => new(
        BenchReport.PresentSchema, "devicehub-bench 1", "conformance", "", "bench-1", "/dev/ttyUSB0",
        new UnitSeen("T0000001", "8612", "<script>alert(1)</script>", "1.4.2"), new DateTimeOffset(2026, 11, 26, 3, 0, 0, TimeSpan.Zero), 12, false,
        [
            new("S01", "Answers at once", "serial.md#frames", StepStatus.Passed, "", [new("ACK after", 12.5, "ms", null, 408)], 0.1),
            new("S02", "Answers again", "serial.md#frames", StepStatus.Failed, "no ACK within 408 ms \u0001", [], 0.5),
            new("S03", "Remembers", null, StepStatus.Skipped, "no jig", [], 0),
        ],
        [Book().ToHistogram()]);

    private static LatencyBook Book()
    {
        var book = new LatencyBook("link ACK");
        book.Add(12.5);
        return book;
    }

    private bool Holds(byte[] file)
    {
        try
        {
            return SignedReport.Read(Write(file)) is not null;
        }
        catch (BadInputException)
        {
            return false;
        }
    }

    private string Write(byte[] file)
    {
        var path = Path.Combine(folder, "report.json");
        File.WriteAllBytes(path, file);
        return path;
    }
}
