using System.Text;

namespace DeviceHub.Server.Api;

/// <summary>Comma-separated values that spreadsheets read right: UTF-8 with its mark, CRLF, and no cell that becomes a formula.</summary>
internal static class CsvText
{
    public const string Type = "text/csv; charset=utf-8";

    /// <summary>A writer over <paramref name="stream"/>, which stays open.</summary>
    public static StreamWriter Writer(Stream stream) => new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true) { NewLine = "\r\n" };

    public static Task WriteRow(this TextWriter csv, IEnumerable<string?> cells) => csv.WriteLineAsync(string.Join(',', cells.Select(Cell)));

    /// <summary>Writes a page's rows and those of the pages behind it, each as it is read, up to <paramref name="limit"/>; then a row that says that there are more.</summary>
    /// <param name="next">Reads the page behind this row; an empty one is the end.</param>
    public static async Task WriteRows<T>(
        this TextWriter csv, IReadOnlyList<T> page, Func<T, Task<IReadOnlyList<T>>> next, Func<T, IEnumerable<string?>> row, int limit, string more, CancellationToken stop)
    {
        for (var left = limit; page.Count > 0; page = await next(page[^1]))
        {
            foreach (var one in page.Take(left))
            {
                await csv.WriteRow(row(one));
            }

            left -= page.Count;
            if (left < 0)
            {
                await csv.WriteRow([more]);
                return;
            }

            await csv.FlushAsync(stop);
        }
    }

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
