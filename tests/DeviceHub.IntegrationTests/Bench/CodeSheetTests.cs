using System.Diagnostics;
using System.Text;
using DeviceHub.Tests;
using DeviceHub.Tools.Bench.Codes;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>What the tool draws for a scanner's decode rate, read by ZBar, which shares no code with what drew it.</summary>
public sealed class CodeSheetTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("codes-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("100", 2)]
    [InlineData("50", 4)]
    public async Task Every_code_of_the_printed_sheet_reads_as_Code_128_and_as_QR_code(string percent, int pointsPerPixel)
    {
        var (page, picture) = (Path.Combine(folder, "sheet.html"), Path.Combine(folder, "sheet.png"));
        using var tool = new ToolProcess("devicehub-bench.dll", "codes", "--plan", "type", "--percent", percent, "--out", page, "--language", "zh");
        Assert.True(await tool.Exits(Limit) == 0, tool.Errors);

        // A4 at 192 points an inch, a poor printer, and at 384.
        using var print = new ToolProcess(
            new ProcessStartInfo("chromium"),
            "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", $"--force-device-scale-factor={pointsPerPixel}", "--window-size=794,1123", $"--user-data-dir={folder}/chromium",
            $"--screenshot={picture}", $"file://{page}");
        Assert.True(await print.Exits(Limit) == 0, print.Errors);

        string[] codes = ["104567890123456789", "134567890123456789", "284567890123456789", "304567890123456789", "624567890123456789"];
        Assert.Equal([.. codes.Select(c => "CODE-128:" + c), .. codes.Select(c => "QR-Code:" + c)], await Read(picture));
    }

    [Theory]
    [InlineData("134567890123456789")]
    [InlineData("ABC-123 xyz~")]
    public async Task Codes_on_a_screen_read_too(string code)
    {
        Assert.Equal(["CODE-128:" + code], await Read(Photograph(DrawnCode.Of(Symbology.Code128, code).ToLines(), "▌▐", across: 2, down: 1)));
        Assert.Equal(["QR-Code:" + code], await Read(Photograph(DrawnCode.Of(Symbology.Qr, code).ToLines(), "▀▄", across: 1, down: 2)));
    }

    /// <summary>The characters as a screen shows them, 4 points a module.</summary>
    private string Photograph(IReadOnlyList<string> lines, string halves, int across, int down)
    {
        const int points = 4;
        var (width, height) = (lines[0].Length * across * points, lines.Count * down * points);
        var picture = new StringBuilder().Append(System.Globalization.CultureInfo.InvariantCulture, $"P1\n{width} {height}\n");
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var character = lines[y / points / down][x / points / across];
                var isFirst = (across == 2 ? x / points : y / points) % 2 == 0;
                picture.Append(character == '█' || character == halves[isFirst ? 0 : 1] ? '1' : '0').Append(x == width - 1 ? '\n' : ' ');
            }
        }

        var path = Path.Combine(folder, "screen.pbm");
        File.WriteAllText(path, picture.ToString());
        return path;
    }

    private static async Task<IEnumerable<string>> Read(string picture)
    {
        using var zbar = new ToolProcess(new ProcessStartInfo("zbarimg"), "--quiet", picture);
        Assert.True(await zbar.Exits(Limit) == 0, $"ZBar read nothing of {picture}: {zbar.Errors}");
        return zbar.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal);
    }
}
