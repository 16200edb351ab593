using System.Diagnostics;
using DeviceHub.Tests;
using Microsoft.Playwright;

namespace DeviceHub.BrowserTests;

/// <summary>
/// Pictures of every page, for people to look at: tools/screenshots.sh. Not run with the tests. Light and dark, English and Chinese, wide and on a phone,
/// of a hub that is new and of one that has been in use for weeks.
/// </summary>
public sealed class Screenshots
{
    private static readonly (string Name, Action<BrowserNewContextOptions> Set)[] Looks =
    [
        ("light-en-wide", o => { }),
        ("dark-en-wide", o => o.ColorScheme = ColorScheme.Dark),
        ("light-zh-wide", o => o.Locale = "zh-CN"),
        ("light-en-phone", Phone),
        ("dark-zh-phone", o => { Phone(o); (o.ColorScheme, o.Locale) = (ColorScheme.Dark, "zh-CN"); }),
    ];

    [Fact(Explicit = true)]
    public async Task Of_every_page()
    {
        var folder = Directory.CreateDirectory(Environment.GetEnvironmentVariable("SCREENSHOTS") ?? throw new InvalidOperationException("SCREENSHOTS is no folder")).FullName;
        await using (var hub = new DashboardHub())
        {
            await hub.InitializeAsync();
            await Take(hub, EveryPage.Lists, Path.Combine(folder, "empty"));
        }

        var data = Directory.CreateTempSubdirectory("hub-").FullName;
        try
        {
            await Seed(data);
            await using var hub = new DashboardHub(data);
            await hub.InitializeAsync();
            await Take(hub, await EveryPage.Of(hub), Path.Combine(folder, "full"));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task Take(DashboardHub hub, IReadOnlyDictionary<string, string> pages, string folder)
    {
        foreach (var (look, set) in Looks)
        {
            await using var browser = await hub.Open("/", set);
            foreach (var (name, address) in pages)
            {
                await browser.Goto(address);

                // Charts are drawn a moment after the page.
                await browser.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
                await Eventually.Passes(TimeSpan.FromMilliseconds(400));
                await browser.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{look}.png"), FullPage = look.EndsWith("phone", StringComparison.Ordinal) });
            }
        }
    }

    private static async Task Seed(string data)
    {
        using var seed = Process.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "devicehub-seed.dll"), "--data", data, "--terminals", "2000", "--payments", "40000", "--weeks", "2"]);
        await seed.WaitForExitAsync();
        Assert.Equal(0, seed.ExitCode);
    }

    private static void Phone(BrowserNewContextOptions options) => (options.ViewportSize, options.DeviceScaleFactor) = (new() { Width = 390, Height = 844 }, 2);
}
