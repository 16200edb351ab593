using Microsoft.JSInterop;

namespace DeviceHub.Dashboard.Shared;

/// <summary>
/// A component's own script, and what it keeps in the browser for it. Both go with the component, also when that goes while they are on their way; and
/// nothing fails because the page is gone.
/// </summary>
/// <param name="file">Below the dashboard's own files: <c>Charts/TimeChart.razor.js</c>.</param>
internal sealed class PageScript(IJSRuntime scripts, string file) : IAsyncDisposable
{
    private IJSObjectReference? module;
    private IJSObjectReference? made;
    private bool disposed;

    /// <summary>Calls a function of the script. The type's default when the page is gone.</summary>
    public async Task<T?> Call<T>(string function, params object?[] arguments)
    {
        var answer = default(T);
        await WhileThere(async () =>
        {
            if (await Load() is { } loaded)
            {
                answer = await loaded.InvokeAsync<T>(function, arguments);
            }
        });
        return answer;
    }

    /// <summary>Has a function make what stays until the component goes: an object with a function <c>dispose</c>. Once.</summary>
    public Task Make(string function, params object?[] arguments) => WhileThere(async () =>
    {
        if (await Load() is { } loaded)
        {
            made = await loaded.InvokeAsync<IJSObjectReference>(function, arguments);
            if (disposed)
            {
                await End(made);
            }
        }
    });

    /// <summary>Calls a function of what was made; nothing when nothing was.</summary>
    public Task Tell(string function, params object?[] arguments) => WhileThere(async () =>
    {
        if (made is not null && !disposed)
        {
            await made.InvokeVoidAsync(function, arguments);
        }
    });

    public async ValueTask DisposeAsync()
    {
        disposed = true;
        await WhileThere(async () =>
        {
            if (made is not null)
            {
                await End(made);
            }

            if (module is not null)
            {
                await module.DisposeAsync();
            }
        });
    }

    private async Task<IJSObjectReference?> Load()
    {
        if (module is null)
        {
            var loaded = await scripts.InvokeAsync<IJSObjectReference>("import", "./_content/DeviceHub.Dashboard/" + file);
            if (disposed || module is not null)
            {
                await loaded.DisposeAsync();
            }
            else
            {
                module = loaded;
            }
        }

        return disposed ? null : module;
    }

    private static async Task End(IJSObjectReference made)
    {
        await made.InvokeVoidAsync("dispose");
        await made.DisposeAsync();
    }

    /// <summary>Something that is asked of the browser; nothing is wrong when the page is gone.</summary>
    public static async Task WhileThere(Func<Task> ask)
    {
        try
        {
            await ask();
        }
        catch (Exception e) when (e is JSDisconnectedException or OperationCanceledException)
        {
            // The page is gone.
        }
    }
}
