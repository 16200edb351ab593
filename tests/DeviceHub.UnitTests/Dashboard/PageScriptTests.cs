using DeviceHub.Dashboard.Shared;
using Microsoft.JSInterop;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>A component's script in the browser: it goes with the component, whenever that goes.</summary>
public sealed class PageScriptTests : IAsyncDisposable
{
    private readonly Browser browser = new();
    private readonly PageScript script;

    public PageScriptTests() => script = new(browser, "Shared/Copy.razor.js");

    public ValueTask DisposeAsync() => script.DisposeAsync();

    [Fact]
    public async Task What_was_made_ends_with_its_component()
    {
        var making = script.Make("mount");
        browser.Answer("import");
        browser.Answer("mount");
        await making;
        Assert.Equal(["import", "mount"], browser.Asked);
        await script.DisposeAsync();
        Assert.Equal(["import", "mount", "dispose", "mount gone", "import gone"], browser.Asked);
    }

    [Fact]
    public async Task What_is_still_being_made_when_its_component_goes_is_ended_too()
    {
        var making = script.Make("mount");
        browser.Answer("import");
        await script.DisposeAsync();
        browser.Answer("mount");
        await making;
        Assert.Equal(["import", "mount", "import gone", "dispose", "mount gone"], browser.Asked);
    }

    [Fact]
    public async Task Script_that_comes_after_its_component_went_makes_nothing()
    {
        var making = script.Make("mount");
        await script.DisposeAsync();
        browser.Answer("import");
        await making;
        Assert.Equal(["import", "import gone"], browser.Asked);
    }

    [Fact]
    public async Task Nothing_fails_because_the_page_is_gone()
    {
        var calling = script.Call<string>("copy");
        browser.Leave("import");
        Assert.Null(await calling);
        await script.DisposeAsync();
    }

    /// <summary>What is asked of a browser, which answers when the test says so; the end of what was made at once.</summary>
    private sealed class Browser : IJSRuntime
    {
        private readonly Dictionary<string, TaskCompletionSource<IJSObjectReference>> open = [];

        public List<string> Asked { get; } = [];

        public void Answer(string to) => open[to].SetResult(new Made(this, to));

        public void Leave(string at) => open[at].SetException(new JSDisconnectedException("gone"));

        public async ValueTask<T> InvokeAsync<T>(string identifier, object?[]? args)
        {
            Asked.Add(identifier);
            return (T)await (open[identifier] = new()).Task;
        }

        public ValueTask<T> InvokeAsync<T>(string identifier, CancellationToken cancellationToken, object?[]? args) => InvokeAsync<T>(identifier, args);

        private sealed class Made(Browser browser, string what) : IJSObjectReference
        {
            public ValueTask<T> InvokeAsync<T>(string identifier, object?[]? args)
            {
                if (identifier != "dispose")
                {
                    return browser.InvokeAsync<T>(identifier, args);
                }

                browser.Asked.Add(identifier);
                return default;
            }

            public ValueTask<T> InvokeAsync<T>(string identifier, CancellationToken cancellationToken, object?[]? args) => InvokeAsync<T>(identifier, args);

            public ValueTask DisposeAsync()
            {
                browser.Asked.Add(what + " gone");
                return ValueTask.CompletedTask;
            }
        }
    }
}
