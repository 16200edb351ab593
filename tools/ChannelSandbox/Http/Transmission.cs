using System.Buffers;
using System.Net.Sockets;
using DeviceHub.Tools.ChannelSandbox.Faults;
using Microsoft.AspNetCore.Connections.Features;

namespace DeviceHub.Tools.ChannelSandbox.Http;

/// <summary>Reads calls whole and sends answers, as a fault has them travel.</summary>
internal sealed class Transmission(SandboxOptions options, TimeProvider time)
{
    public const int MaxBody = 64 * 1024;
    private const int HugeBytes = 100 * 1024 * 1024;

    /// <summary>An abort takes back what is still on its way.</summary>
    private static readonly TimeSpan HalfArrives = TimeSpan.FromMilliseconds(100);

    private static readonly byte[] Noise = MakeNoise();
    private static readonly byte[] HostileJson = [.. Enumerable.Repeat((byte)'[', 500), .. Enumerable.Repeat((byte)']', 500)];

    /// <summary>A document type whose entities would grow to gigabytes, around an answer that says paid.</summary>
    private static readonly byte[] HostileXml = """
        <?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "aaaaaaaaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
        <!ENTITY d SYSTEM "file:///etc/passwd">]><xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code><attach>&c;&d;</attach></xml>
        """u8.ToArray();

    public async ValueTask Serve(HttpContext context, IDialect dialect, Api api)
    {
        var reader = context.Request.BodyReader;
        var read = await reader.ReadAtLeastAsync(MaxBody + 1, context.RequestAborted);
        if (read.Buffer.Length > MaxBody)
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }

        var draft = Draft.Rent();
        var length = (int)read.Buffer.Length;
        var body = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        try
        {
            read.Buffer.CopyTo(body);
            reader.AdvanceTo(read.Buffer.End);
            var call = new Call(context, body.AsMemory(0, length), draft);
            dialect.Answer(call, api);
            await Send(call);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(body);
            draft.Return();
        }
    }

    private async ValueTask Send(Call call)
    {
        var context = call.Context;
        switch (call.Fault?.Answer ?? Answer.Usual)
        {
            case Answer.Slow:
                await Wait(call.Fault!.After ?? options.SlowAfter, context);
                await SendUsual(call);
                break;
            case Answer.Hang:
                await Wait(call.Fault!.After ?? options.HangFor, context);
                context.Abort();
                break;
            case Answer.Reset:
                Reset(context);
                break;
            case Answer.Status:
                context.Response.StatusCode = call.Fault!.Status;
                await Body(context, "text/html", System.Text.Encoding.UTF8.GetBytes($"<html><body><h1>{call.Fault.Status}</h1></body></html>"));
                break;
            case Answer.Garbage:
                await Body(context, call.ContentType, Noise);
                break;
            case Answer.Half:
                context.Response.ContentLength = call.Reply.Length;
                context.Response.ContentType = call.ContentType;
                await context.Response.Body.WriteAsync(call.Reply.WrittenMemory[..(call.Reply.Length / 2)], context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Wait(HalfArrives, context);
                context.Abort();
                break;
            case Answer.Hostile:
                await Body(context, call.ContentType, call.ContentType == Call.Xml ? HostileXml : HostileJson);
                break;
            case Answer.Huge:
                await Huge(context, call.ContentType);
                break;
            case Answer.Empty:
                await Body(context, call.ContentType, Array.Empty<byte>());
                break;
            default:
                await SendUsual(call);
                break;
        }
    }

    private static async ValueTask SendUsual(Call call)
    {
        var response = call.Context.Response;
        response.StatusCode = call.Status;
        if (call.Stream is { } stream)
        {
            response.ContentType = call.ContentType;
            await stream(response.Body, call.Context.RequestAborted);
            return;
        }

        response.ContentLength = call.Reply.Length;
        if (call.Reply.Length > 0)
        {
            response.ContentType = call.ContentType;
            await response.BodyWriter.WriteAsync(call.Reply.WrittenMemory, call.Context.RequestAborted);
        }
    }

    /// <summary>A body that the dialect did not write; its signature does not go with it.</summary>
    private static async ValueTask Body(HttpContext context, string type, ReadOnlyMemory<byte> body)
    {
        context.Response.Headers.Clear();
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static async Task Huge(HttpContext context, string type)
    {
        context.Response.Headers.Clear();
        context.Response.ContentType = type;
        context.Response.ContentLength = HugeBytes;
        var spaces = new byte[64 * 1024];
        Array.Fill(spaces, (byte)' ');
        for (var sent = 0; sent < HugeBytes; sent += spaces.Length)
        {
            await context.Response.Body.WriteAsync(spaces, context.RequestAborted);
        }
    }

    /// <summary>The connection ends with a reset, not with an end of stream.</summary>
    private static void Reset(HttpContext context)
    {
        if (context.Features.Get<IConnectionSocketFeature>() is { } feature)
        {
            feature.Socket.LingerState = new LingerOption(true, 0);
        }

        context.Abort();
    }

    private async Task Wait(TimeSpan howLong, HttpContext context)
    {
        try
        {
            await Task.Delay(howLong, time, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The caller has given up; there is nobody to answer.
        }
    }

    private static byte[] MakeNoise()
    {
        var noise = new byte[300];
        new Random(1).NextBytes(noise);
        return noise;
    }
}
