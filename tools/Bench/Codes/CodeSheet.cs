using System.Globalization;
using System.Net;
using System.Text;

namespace DeviceHub.Tools.Bench.Codes;

/// <summary>One page that needs nothing else, to be printed on A4: each code in both symbologies, in the size that a wallet's screen shows.</summary>
internal static class CodeSheet
{
    /// <summary>A bar of 0.33 mm is the usual one of GS1's tables; a QR code of a wallet is about as wide as two fingers.</summary>
    private const double BarModuleMm = 0.33;
    private const double BarMm = 14;
    private const double QrModuleMm = 0.9;
    private const int RulerMm = 100;

    private const string Style = """
        @page { size: A4; margin: 12mm; }
        body { font: 12px/1.4 system-ui, "Noto Sans CJK SC", sans-serif; color: #000; background: #fff; margin: 12px; }
        h1 { font-size: 16px; margin: 0 0 2mm; } p { margin: 0 0 2mm; }
        table { border-collapse: collapse; } tr { break-inside: avoid; } th, td { text-align: left; vertical-align: middle; padding: 2mm 4mm; border-bottom: 1px solid #bbb; }
        td.number { font-size: 20px; font-weight: 700; } td span { display: block; font-family: monospace; overflow-wrap: anywhere; max-width: 60mm; }
        svg { display: block; background: #fff; } .ruler { width: 100mm; border: solid #000; border-width: 0 1px 1px; height: 2mm; }
        """;

    /// <param name="percent">Of the usual size: a smaller sheet finds the limit of a scanner's optics.</param>
    public static string Write(string plan, IReadOnlyList<string> codes, int percent, Texts texts)
    {
        var scale = percent / 100.0;
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"{(texts.Language.Name == "zh-Hans" ? "zh-CN" : "en")}\">\n<head>\n<meta charset=\"utf-8\">\n")
            .Append(CultureInfo.InvariantCulture, $"<title>{Text(texts["SheetTitle"])}: {Text(plan)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n")
            .Append(CultureInfo.InvariantCulture, $"<h1>{Text(texts["SheetTitle"])}: {Text(plan)}, {percent} %</h1>\n<p>{Text(texts.Format("SheetHint", RulerMm))}</p>\n<div class=\"ruler\"></div>\n")
            .Append(CultureInfo.InvariantCulture, $"<table>\n<tr><th></th><th>{Text(texts["SymbologyCode128"])}</th><th>{Text(texts["SymbologyQr"])}</th></tr>\n");
        foreach (var (code, i) in codes.Select((code, i) => (code, i)))
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"number\">{i + 1}</td><td>{DrawnCode.Of(Symbology.Code128, code).ToSvg(BarModuleMm * scale, BarMm)}<span>{Text(code)}</span></td>")
                .Append(CultureInfo.InvariantCulture, $"<td>{DrawnCode.Of(Symbology.Qr, code).ToSvg(QrModuleMm * scale, 0)}</td></tr>\n");
        }

        return page.Append("</table>\n</body>\n</html>\n").ToString();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
