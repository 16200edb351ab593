using System.Globalization;
using System.Text;
using ZXing;
using ZXing.Common;

namespace DeviceHub.Tools.Bench.Codes;

/// <summary>How a code is drawn: wallets show both.</summary>
internal enum Symbology { Code128, Qr }

/// <summary>A code as black and white modules, with the quiet zone that its symbology demands.</summary>
internal sealed class DrawnCode
{
    private const int QuietModulesOfCode128 = 10;
    private const int QuietModulesOfQr = 4;

    private readonly BitMatrix modules;

    private DrawnCode(BitMatrix modules) => this.modules = modules;

    /// <summary>In modules.</summary>
    public int Width => modules.Width;

    /// <summary>1 of a Code 128: its bars are as long as one likes.</summary>
    public int Height => modules.Height;

    /// <summary>What both symbologies can hold: 1 to 64 printable characters of ASCII.</summary>
    public static bool CanBe(string code) => code.Length is >= 1 and <= 64 && code.All(c => c is >= ' ' and <= '~');

    public static DrawnCode Of(Symbology symbology, string code)
    {
        var isQr = symbology == Symbology.Qr;
        return new DrawnCode(new MultiFormatWriter().encode(
            code, isQr ? BarcodeFormat.QR_CODE : BarcodeFormat.CODE_128, 0, 0,
            new Dictionary<EncodeHintType, object>
            {
                [EncodeHintType.MARGIN] = isQr ? QuietModulesOfQr : QuietModulesOfCode128,
                [EncodeHintType.ERROR_CORRECTION] = "M",
            }));
    }

    /// <param name="moduleMm">Width of a module.</param>
    /// <param name="barMm">Height of the bars of a Code 128.</param>
    public string ToSvg(double moduleMm, double barMm)
    {
        var unit = Height > 1 ? 1 : barMm / moduleMm;
        var path = new StringBuilder();
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                if (modules[x, y])
                {
                    path.Append(CultureInfo.InvariantCulture, $"M{x} {y}h1v{unit:0.###}h-1z");
                }
            }
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"<svg width=\"{Width * moduleMm:0.###}mm\" height=\"{Height * unit * moduleMm:0.###}mm\" viewBox=\"0 0 {Width} {Height * unit:0.###}\" shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>");
    }

    /// <summary>For a screen, black on white: two modules a character, one above the other in a QR code, side by side in a Code 128.</summary>
    public IReadOnlyList<string> ToLines(int rowsOfBars = 6) => Height > 1
        ? [.. Enumerable.Range(0, (Height + 1) / 2).Select(row => string.Concat(Enumerable.Range(0, Width).Select(x => Block(At(x, row * 2), At(x, (row * 2) + 1), "▀▄"))))]
        : [.. Enumerable.Repeat(string.Concat(Enumerable.Range(0, (Width + 1) / 2).Select(x => Block(At(x * 2, 0), At((x * 2) + 1, 0), "▌▐"))), rowsOfBars)];

    private bool At(int x, int y) => x < Width && y < Height && modules[x, y];

    private static char Block(bool first, bool second, string halves) => (first, second) switch
    {
        (true, true) => '█',
        (true, false) => halves[0],
        (false, true) => halves[1],
        _ => ' ',
    };
}
