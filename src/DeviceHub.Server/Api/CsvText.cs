using System.Text;

namespace DeviceHub.Server.Api;

/// <summary>Comma-separated values that spreadsheets read right: UTF-8 with its mark, CRLF, and no cell that becomes a formula.</summary>
internal static class CsvText
{
    public const string Type = "text/csv; charset=utf-8";

    /// <summary>A writer over <paramref name="stream"/>, which stays open.</summary>
    public static StreamWriter Writer(Stream stream) => new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true) { NewLine = "\r\n" };

    public static Task WriteRow(this TextWriter csv, IEnumerable<string?> cells) => csv.WriteLineAsync(string.Join(',', cells.Select(Cell)));

    /// <summary>Excel takes a cell that begins so for a formula.</summary>
    public static string Cell(string? text) => text switch
    {
        null or "" => "",
        _ when text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' => Quoted("'" + text),
        _ when text.AsSpan().IndexOfAny("\",\r\n") >= 0 => Quoted(text),
        _ => text,
    };

    private static string Quoted(string text) => "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
}
