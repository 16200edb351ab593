using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Components.Web.HtmlRendering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>Live pages without a browser.</summary>
internal sealed class RenderedPages(IServiceCollection needed) : IAsyncDisposable
{
    private readonly ServiceProvider services = needed.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).BuildServiceProvider();
    private HtmlRenderer? renderer;

    private HtmlRenderer Renderer => renderer ??= new(services, NullLoggerFactory.Instance);

    public Task<HtmlRootComponent> Open<T>()
        where T : IComponent => Renderer.Dispatcher.InvokeAsync(() => Renderer.BeginRenderingComponent<T>());

    public Task<string> Html(HtmlRootComponent page) => Renderer.Dispatcher.InvokeAsync(page.ToHtmlString);

    public Task Do(Action work) => Renderer.Dispatcher.InvokeAsync(work);

    /// <summary>What the dispatcher has been given is done.</summary>
    public async Task Settle()
    {
        for (var i = 0; i < 5; i++)
        {
            await Renderer.Dispatcher.InvokeAsync(() => { });
            await Task.Yield();
        }
    }

    /// <summary>Closes all pages.</summary>
    public async Task Close()
    {
        if (renderer is { } open)
        {
            renderer = null;
            await open.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Close();
        await services.DisposeAsync();
    }
}
