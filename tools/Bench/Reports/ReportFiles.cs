using System.Security.Cryptography;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>Writes a run's reports: NAME.json, signed, and what is made of it: NAME.html and NAME.xml (JUnit).</summary>
internal static class ReportFiles
{
    /// <summary>The key to sign with, once the folder can be written: units are tested for minutes or hours before their report is.</summary>
    /// <param name="folder">Null: there will be none.</param>
    public static ECDsa? Begin(string? folder)
    {
        if (folder is null)
        {
            return null;
        }

        try
        {
            Directory.CreateDirectory(folder);
            var tried = Path.Combine(folder, $".{Guid.NewGuid():n}");
            File.WriteAllText(tried, "");
            File.Delete(tried);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(e);
        }

        return SigningKey.LoadOrMake(BenchHome.Default);
    }

    /// <returns>The path of the signed file.</returns>
    public static string Write(BenchReport report, string folder, string name, ECDsa key, Texts texts)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var path = Path.Combine(folder, name);
            File.WriteAllBytes(path + ".json", SignedReport.Write(report, key));
            File.WriteAllText(path + ".html", HtmlReport.Write(report, SigningKey.Fingerprint(key.ExportSubjectPublicKeyInfo()), texts));
            File.WriteAllText(path + ".xml", JUnitReport.Write(report));
            return path + ".json";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(e);
        }
    }

    /// <summary><c>SERIAL-20261126-031500</c>; the unit's name as it stands in HELLO, which holds nothing that a path could misread.</summary>
    public static string Name(BenchReport report) =>
        $"{report.Unit?.SerialNumber ?? "no-unit"}-{report.Kind}-{report.Began.UtcDateTime:yyyyMMdd-HHmmss}";

    private static BadInputException CannotWrite(Exception e) => new($"the report cannot be written: {e.Message}");
}
