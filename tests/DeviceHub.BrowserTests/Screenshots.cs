using System.Diagnostics;
using System.Text.RegularExpressions;
using DeviceHub.Tests;
using Microsoft.Data.Sqlite;
using Microsoft.Playwright;

namespace DeviceHub.BrowserTests;

/// <summary>
/// Pictures of every page, for people to look at: tools/screenshots.sh. Not run with the tests. Light and dark, English and Chinese, wide and on a phone,
/// of a hub that is new and of one that has been in use for weeks.
/// </summary>
public sealed partial class Screenshots
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
            var password = await Seed(data);
            Execute(data, "CREATE TABLE was_connected AS SELECT serial_number FROM last_seen WHERE connected");
            await using var hub = new DashboardHub(data, password);
            await hub.InitializeAsync();
            await Take(hub, null, Path.Combine(folder, "full"), data);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <param name="pages">Null: all, with those of a terminal that is connected and pays before each look, since doubt does not stay.</param>
    /// <param name="data">Of a hub whose start has taken the seeded terminals for gone: before each look they are heard again.</param>
    private static async Task Take(DashboardHub hub, IReadOnlyDictionary<string, string>? pages, string folder, string? data = null)
    {
        foreach (var (look, set) in Looks)
        {
            if (data is not null)
            {
                Execute(data, "UPDATE last_seen SET connected = 1, at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE serial_number IN was_connected");
            }

            await using var terminal = pages is null ? await hub.LoggedIn("sealing") : null;
            await using var browser = await hub.Open("/", set);
            foreach (var (name, address) in (pages ?? await EveryPage.Of(terminal!)).Append(new("sign-in", "/sign-in")))
            {
                if (name == "sign-in")
                {
                    await browser.Page.Context.ClearCookiesAsync();
                }

                await browser.Goto(address);

                // Charts are drawn a moment after the page.
                await browser.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
                await Eventually.Passes(TimeSpan.FromMilliseconds(400));
                if (look.EndsWith("phone", StringComparison.Ordinal))
                {
                    // As tall as the page: what stands at the bottom of the window would hide what is behind it.
                    await browser.Page.SetViewportSizeAsync(390, Math.Clamp(await browser.Page.EvaluateAsync<int>("document.documentElement.scrollHeight"), 844, 3_000));
                }

                await browser.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{look}.png") });
                if (look.EndsWith("phone", StringComparison.Ordinal))
                {
                    await browser.Page.SetViewportSizeAsync(390, 844);
                }
            }
        }
    }

    /// <returns>The first owner's password.</returns>
    private static async Task<string> Seed(string data)
    {
        string[] arguments = [Path.Combine(AppContext.BaseDirectory, "devicehub-seed.dll"), "--data", data, "--terminals", "2000", "--payments", "40000", "--weeks", "2"];
        using var seed = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        var said = await seed.StandardOutput.ReadToEndAsync();
        await seed.WaitForExitAsync();
        Assert.Equal(0, seed.ExitCode);
        return Password().Match(said).Groups[1].Value;
    }

    private static void Execute(string data, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(data, "hub.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    [GeneratedRegex("with the password ([a-z0-9]+);")]
    private static partial Regex Password();

    private static void Phone(BrowserNewContextOptions options) => (options.ViewportSize, options.DeviceScaleFactor) = (new() { Width = 390, Height = 844 }, 2);
}
