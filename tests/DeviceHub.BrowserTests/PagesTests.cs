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
        await using var terminal = await hub.LoggedIn("sealing");
        foreach (var address in (await EveryPage.Of(terminal)).Values)
        {
            await browser.Goto(address);
            await browser.IsAccessible();
        }
    }

    /// <summary>Readers of <see cref="DashboardHub.Open"/> want little motion, too.</summary>
    [Fact]
    public async Task Tab_key_leads_to_all_that_can_be_done_on_a_page_and_shows_where_it_is_and_nothing_moves()
    {
        await using var browser = await hub.Open("/");
        await using var terminal = await hub.LoggedIn("sealing");
        foreach (var address in (await EveryPage.Of(terminal)).Values)
        {
            await browser.Goto(address);
            await Assertions.Expect(browser.Page.Locator("h1").First).ToBeFocusedAsync();
            var count = await browser.Page.EvaluateAsync<int>(
                """
                () => {
                  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter(e => !e.disabled && e.checkVisibility());
                  window.walked = all.map(element => ({ element, ring: null }));
                  document.addEventListener('focusin', ({ target }) => {
                    const step = window.walked.find(w => w.element === target);
                    if (step) {
                      step.ring = getComputedStyle(target).outlineStyle;
                    }
                  });
                  document.body.tabIndex = -1;
                  document.body.focus();
                  return all.length;
                }
                """);

            // A link may come in meanwhile.
            for (var i = 0; i < count + 3; i++)
            {
                await browser.Page.Keyboard.PressAsync("Tab");
            }

            var missed = await browser.Page.EvaluateAsync<string[]>("window.walked.filter(w => w.element.isConnected && w.ring !== 'solid').map(w => `${w.ring}: ${w.element.outerHTML.slice(0, 120)}`)");
            Assert.True(missed.Length == 0, $"{address}\n{string.Join('\n', missed)}");
            Assert.Equal((address, 0), (address, await browser.Page.EvaluateAsync<int>("document.getAnimations().filter(a => a.effect.getComputedTiming().duration > 1).length")));
        }
    }

    [Fact]
    public async Task No_list_is_cut_on_a_small_desk()
    {
        await using var browser = await hub.Open("/", o => o.ViewportSize = new() { Width = 1280, Height = 800 });
        await using var terminal = await hub.LoggedIn();
        await terminal.Pay(terminal.Request(5210, "ORDER-OF-A-TABLE-0001"));
        foreach (var address in (string[])["/payments?terminal=" + terminal.SerialNumber, "/terminals"])
        {
            await browser.Goto(address);
            await browser.Page.Locator("tbody .row-link").First.WaitForAsync();
            Assert.Equal((address, 0), (address, await browser.Page.Locator(".table-box").EvaluateAsync<int>("box => box.scrollWidth - box.clientWidth")));
        }
    }

    [Fact]
    public async Task No_page_is_wider_than_a_phone()
    {
        await using var browser = await hub.Open("/", o => o.ViewportSize = new() { Width = 390, Height = 844 });
        await using var terminal = await hub.LoggedIn("sealing");
        foreach (var address in (await EveryPage.Of(terminal)).Values)
        {
            await browser.Goto(address);
            Assert.Equal((address, 390), (address, await browser.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")));
        }
    }
}
