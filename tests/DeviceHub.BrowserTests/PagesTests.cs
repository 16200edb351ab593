using Microsoft.Playwright;

namespace DeviceHub.BrowserTests;

/// <summary>What must be so on every page of the dashboard.</summary>
[Collection(DashboardGroup.Name)]
public sealed class PagesTests(DashboardHub hub)
{
    [Theory]
    [InlineData(ColorScheme.Light, "en-GB")]
    [InlineData(ColorScheme.Dark, "zh-CN")]
    public async Task Every_page_is_accessible_and_says_nothing_to_the_console(ColorScheme colors, string language)
    {
        await using var browser = await hub.Open("/", o => (o.ColorScheme, o.Locale) = (colors, language));
        foreach (var address in (await EveryPage.Of(hub)).Values)
        {
            await browser.Goto(address);
            await browser.IsAccessible();
        }
    }

    [Fact]
    public async Task No_page_is_wider_than_a_phone()
    {
        await using var browser = await hub.Open("/", o => o.ViewportSize = new() { Width = 390, Height = 844 });
        foreach (var address in (await EveryPage.Of(hub)).Values)
        {
            await browser.Goto(address);
            Assert.Equal((address, 390), (address, await browser.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")));
        }
    }
}
