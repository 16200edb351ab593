using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceHub.Tools.LoadBench.Driver;

namespace DeviceHub.Tools.LoadBench.Pages;

/// <summary>
/// One live page without a browser: the document, then a circuit over a websocket, as Blazor's own script makes it. Every change that the hub renders
/// is confirmed, and every script that it calls is answered, but nothing is drawn: what this costs is nearly all the hub's.
/// </summary>
internal sealed partial class OpenPage : IAsyncDisposable
{
    private const string StartId = "0";

    /// <summary>The class of what pages show of a fault, as it stands in a rendered change: behind its length.</summary>
    private static readonly byte[] Failed = [5, .. "fault"u8];

    private readonly Visitor visitor;
    private readonly ClientWebSocket socket = new();
    private readonly CancellationTokenSource closing = new();
    private readonly TaskCompletionSource<string> circuit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource shown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[][] marks;
    private readonly byte[] rootComponents;
    private Task listening = Task.CompletedTask;
    private int batches;
    private long bytes;
    private int objects;

    private OpenPage(Visitor visitor, string document, IEnumerable<string> marks)
    {
        this.visitor = visitor;
        this.marks = [.. marks.Select(Encoding.UTF8.GetBytes)];
        var roots = Marker().Matches(document).Select((m, i) => $$"""{"type":"add","ssrComponentId":{{i + 1}},"marker":{{m.Groups[1].Value}}}""");
        rootComponents = BlazorPack.Invoke(null, "UpdateRootComponents", $$"""{"batchId":1,"operations":[{{string.Join(',', roots)}}]}""", "");
        socket.Options.Cookies = visitor.Cookies;

        // As browsers do: what is sent is compressed if the hub wants it so.
        socket.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        socket.Options.SetRequestHeader("Origin", visitor.Hub.GetLeftPart(UriPartial.Authority));
    }

    /// <summary>Changes that were rendered so far.</summary>
    public int Batches => Volatile.Read(ref batches);

    /// <summary>Bytes of them, uncompressed.</summary>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Why the page broke; null: it is well.</summary>
    public Exception? Fault => listening.Exception?.InnerException;

    /// <summary>From the request of the document until the hub has rendered one of these texts.</summary>
    public TimeSpan Took { get; private set; }

    /// <param name="marks">Texts of which one is there when the content is.</param>
    public static async Task<OpenPage> Open(Visitor visitor, string path, IEnumerable<string> marks, TimeSpan limit)
    {
        using var giveUp = new CancellationTokenSource(limit);
        var from = Stopwatch.GetTimestamp();
        var page = new OpenPage(visitor, await visitor.Get(path, giveUp.Token), marks);
        try
        {
            await page.Connect(new Uri(visitor.Hub, path), giveUp.Token);
            await page.shown.Task.WaitAsync(giveUp.Token);
            page.Took = Stopwatch.GetElapsedTime(from);
            return page;
        }
        catch (OperationCanceledException)
        {
            await page.DisposeAsync();
            throw new BenchException($"{path} showed nothing within {limit.TotalSeconds} s");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (circuit.Task.IsCompletedSuccessfully)
        {
            await visitor.Leave(await circuit.Task);
        }

        await closing.CancelAsync();
        await listening.ContinueWith(_ => { }, TaskScheduler.Default);
        socket.Dispose();
        closing.Dispose();
    }

    private async Task Connect(Uri address, CancellationToken stop)
    {
        await socket.ConnectAsync(new UriBuilder(visitor.Hub) { Scheme = "ws", Path = "/_blazor" }.Uri, stop);
        await Send(BlazorPack.Handshake);
        var answer = new byte[256];
        var read = await socket.ReceiveAsync(answer, stop);
        if (Encoding.UTF8.GetString(answer, 0, read.Count) != "{}\u001e")
        {
            throw new BenchException($"the hub does not take the handshake of a page: {Encoding.UTF8.GetString(answer, 0, read.Count)}");
        }

        listening = Listen();
        _ = listening.ContinueWith(failed => shown.TrySetException(failed.Exception!.InnerExceptions), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        await Send(BlazorPack.Invoke(StartId, "StartCircuit", visitor.Hub.ToString(), address.ToString(), "[]", ""));
        await circuit.Task.WaitAsync(stop);
    }

    private async Task Listen()
    {
        var buffer = new byte[64 * 1024];
        var held = 0;
        try
        {
            while (true)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(held), closing.Token);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    throw new BenchException($"the hub closed a page: {socket.CloseStatusDescription}");
                }

                held += read.Count;
                if (read.EndOfMessage)
                {
                    foreach (var reply in Take(buffer.AsSpan(0, held)))
                    {
                        await Send(reply);
                    }

                    held = 0;
                }
                else if (held == buffer.Length)
                {
                    Array.Resize(ref buffer, held * 2);
                }
            }
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
        }
    }

    private List<byte[]> Take(ReadOnlySpan<byte> input)
    {
        var replies = new List<byte[]>(2);
        while (BlazorPack.Next(ref input, out var message))
        {
            message.Array();
            switch (message.Number())
            {
                case BlazorPack.Invocation:
                    message.NoHeaders();
                    message.Bytes();
                    var target = message.Text();
                    message.Array();
                    Called(target, message, replies);
                    break;
                case BlazorPack.Completion:
                    message.NoHeaders();
                    message.Bytes();
                    message.Number();
                    circuit.TrySetResult(message.Text());
                    replies.Add(rootComponents);
                    break;
                case BlazorPack.Close:
                    throw new BenchException($"the hub closed a page: {message.Text()}");
            }
        }

        return replies;
    }

    private void Called(string target, PackReader arguments, List<byte[]> replies)
    {
        switch (target)
        {
            case "JS.RenderBatch":
                var batch = arguments.Number();
                var drawn = arguments.Bytes();
                Interlocked.Add(ref bytes, drawn.Length);
                Interlocked.Increment(ref batches);
                replies.Add(BlazorPack.Invoke(null, "OnRenderCompleted", batch, null));
                if (drawn.IndexOf(Failed) >= 0)
                {
                    throw new BenchException("a page says that it could not be read");
                }

                foreach (var mark in marks)
                {
                    if (!shown.Task.IsCompleted && drawn.IndexOf(mark) >= 0)
                    {
                        shown.TrySetResult();
                    }
                }

                break;
            case "JS.BeginInvokeJS":
                Script(arguments.Number(), arguments.Text(), arguments.Text(), arguments.Number(), replies);
                break;
            case "JS.Error":
                throw new BenchException($"a page broke: {arguments.Text()}");
        }
    }

    /// <summary>Answers as the page's scripts would.</summary>
    /// <param name="kind">Of the result that is wanted: 1 is an object that stays here.</param>
    private void Script(long handle, string name, string arguments, long kind, List<byte[]> replies)
    {
        if (name == "Blazor._internal.Virtualize.init")
        {
            // The list has its place on the screen: 800 pixels of it can be seen.
            using var given = JsonDocument.Parse(arguments);
            var list = given.RootElement[0].GetProperty("__dotNetObject").GetInt64();
            replies.Add(BlazorPack.Invoke(null, "BeginInvokeDotNetFromJS", "1", null, "OnSpacerBeforeVisible", list, "[0,0,800]"));
        }

        var result = kind == 1 ? $$"""{"__jsObjectId":{{++objects}}}""" : name switch
        {
            "rowHeight" => "37",
            "mudThemeProvider.watchDarkMode" => "false",
            _ => "null",
        };
        if (handle != 0)
        {
            replies.Add(BlazorPack.Invoke(null, "EndInvokeJSFromDotNet", handle, true, $"[{handle},true,{result}]"));
        }
    }

    private async Task Send(byte[] message) => await socket.SendAsync(message, WebSocketMessageType.Binary, true, closing.Token);

    [GeneratedRegex("<!--Blazor:({.*?})-->")]
    private static partial Regex Marker();
}
