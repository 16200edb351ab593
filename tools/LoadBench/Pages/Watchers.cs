using DeviceHub.Tools.LoadBench.Driver;

namespace DeviceHub.Tools.LoadBench.Pages;

/// <summary>Where a hub's pages are, and who may set up its owner. One at a time.</summary>
internal sealed class HubPages(Uri url, string owner, string firstPassword)
{
    /// <summary>The owner's own password.</summary>
    private const string Password = "a long password of the bench";

    private bool ready;

    /// <summary>A new session of the owner; the first one replaces the first password.</summary>
    public async Task<Visitor> SignIn()
    {
        if (!ready)
        {
            await Visitor.SetUp(url, owner, firstPassword, Password);
            ready = true;
        }

        return await Visitor.SignIn(url, owner, Password);
    }
}

/// <summary>People who keep the overview open, each with a session and a circuit of the own.</summary>
internal sealed class Watchers : IAsyncDisposable
{
    /// <summary>Of the overview, when it has numbers.</summary>
    public const string OverviewMark = "data-tile";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly List<Visitor> people = [];
    private readonly List<OpenPage> pages = [];

    public static async Task<Watchers> SignIn(HubPages hub, int count)
    {
        var watchers = new Watchers();
        for (var n = 0; n < count; n++)
        {
            watchers.people.Add(await hub.SignIn());
        }

        return watchers;
    }

    public async Task Open()
    {
        foreach (var person in people)
        {
            pages.Add(await OpenPage.Open(person, "/", [OverviewMark], Limit));
        }
    }

    /// <summary>What each page was sent so far.</summary>
    public IReadOnlyList<int> Batches() =>
        pages.Find(p => p.Fault is not null) is { } broken ? throw new BenchException($"a page ended: {broken.Fault!.Message}") : [.. pages.Select(p => p.Batches)];

    /// <summary>Bytes that all pages were sent so far, uncompressed.</summary>
    public long Bytes() => pages.Sum(p => p.Bytes);

    public async Task Close()
    {
        foreach (var page in pages)
        {
            await page.DisposeAsync();
        }

        pages.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await Close();
        people.ForEach(p => p.Dispose());
    }
}
