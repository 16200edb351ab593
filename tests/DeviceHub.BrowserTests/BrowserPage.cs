using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace DeviceHub.BrowserTests;

/// <summary>
/// One reader's browser with one page. When it is disposed of it fails if the page wrote an error to its console, if a request failed, or if anything
/// was asked of another host.
/// </summary>
public sealed class BrowserPage : IAsyncDisposable
{
    /// <summary>Of a button: a click, and one more when the hub has done what the first one asked for, but its answer is not on the screen yet.</summary>
    public const string ClickedLateAgain =
        """
        button => new Promise(clicked => {
          button.click();
          setTimeout(() => {
            const until = Date.now() + 1000;
            while (Date.now() < until) {
            }
            button.click();
            clicked();
          });
        })
        """;

    private readonly IBrowserContext context;
    private readonly ConcurrentQueue<string> faults = new();

    private BrowserPage(IBrowserContext context, IPage page)
    {
        (this.context, Page) = (context, page);
        page.SetDefaultTimeout(15_000);
        page.Console += (_, message) => Fault(message.Type == "error", $"console: {message.Text}");
        page.PageError += (_, error) => Fault(true, $"script: {error}");
        page.RequestFailed += (_, request) => Fault(!Allowed.Contains("failed requests"), $"failed: {request.Url} {request.Failure}");
        page.Request += (_, request) => Fault(new Uri(request.Url) is { Scheme: "http" or "https" or "ws", Host: not "127.0.0.1" }, $"asked of others: {request.Url}");
        page.Response += (_, answer) => Fault(answer.Status >= 400 && !Allowed.Contains(answer.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)), $"{answer.Status}: {answer.Url}");
    }

    public IPage Page { get; }

    /// <summary>What this test brings about itself: statuses, <c>failed requests</c>, or a part of a console line.</summary>
    public HashSet<string> Allowed { get; } = [];

    public static async Task<BrowserPage> Open(IBrowserContext context, string path)
    {
        var page = new BrowserPage(context, await context.NewPageAsync());
        await page.Goto(path);
        return page;
    }

    /// <summary>Until the page is live: its heading is there.</summary>
    public async Task Goto(string path)
    {
        await Page.GotoAsync(path);
        await Page.Locator("h1").First.WaitForAsync();
    }

    /// <summary>Axe's rules of WCAG 2.2 A and AA and its best practices: nothing serious.</summary>
    public async Task IsAccessible()
    {
        var result = await Page.RunAxe();
        var serious = result.Violations.Where(v => v.Impact is "serious" or "critical").ToList();
        Assert.True(serious.Count == 0, string.Join('\n', serious.Select(v => $"{v.Id}: {v.Help}\n  {string.Join("\n  ", v.Nodes.Take(5).Select(n => n.Html))}")));
    }

    public async ValueTask DisposeAsync()
    {
        await context.DisposeAsync();
        var unexpected = faults.Where(fault => !Allowed.Any(allowed => fault.Contains(allowed, StringComparison.Ordinal))).ToList();
        Assert.True(unexpected.Count == 0, string.Join('\n', unexpected));
    }

    private void Fault(bool found, string what)
    {
        if (found && faults.Count < 100)
        {
            faults.Enqueue(what);
        }
    }
}
