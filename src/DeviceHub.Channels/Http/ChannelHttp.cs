using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Http;

/// <summary>
/// Sends a request to a channel, once, and gets a bounded answer. What was provably never sent is told apart from everything else.
/// <para>
/// Sent once: .NET's handler sends a request again by itself in three cases. Over HTTP/1.1, when a kept connection ends before any answer and
/// the request has no body or waits for "100 Continue"; over HTTP/2, when the server says that it did not process the stream; and when it
/// follows a redirect or a challenge. So requests here are HTTP/1.1 and nothing else, money goes as a POST with a body and
/// without <c>Expect</c>, and redirects, cookies and credentials are off. <c>ChannelHttpTests</c> counts it on a socket. A question without a
/// body (GET) may be asked again, which is harmless.
/// </para>
/// </summary>
public sealed class ChannelHttp : IDisposable
{
    private const string HostsOption = "Channels:Http:AllowedHosts";

    private readonly ChannelHttpOptions options;
    private readonly TimeProvider clock;
    private readonly Func<X509Certificate2?, HttpMessageHandler> handlers;
    private readonly HttpMessageInvoker shared;

    /// <summary>
    /// Connections with a client certificate belong to an account; a changed account is another instance. What nobody refers to any more is
    /// collected with its connections, which idle out before.
    /// </summary>
    private readonly ConditionalWeakTable<ChannelAccount, HttpMessageInvoker> mutual = [];

    public ChannelHttp(IOptions<ChannelHttpOptions> options, TimeProvider clock)
        : this(options.Value, clock, certificate => Handler(options.Value, certificate))
    {
    }

    /// <summary>With another transport than sockets: for tests.</summary>
    internal ChannelHttp(ChannelHttpOptions options, TimeProvider clock, Func<X509Certificate2?, HttpMessageHandler> handlers)
    {
        (this.options, this.clock, this.handlers) = (options, clock, handlers);
        shared = new HttpMessageInvoker(handlers(null));
    }

    /// <summary>Where an account is called: at its own address, or at its channel's. Null with what is wrong: nothing may be sent there.</summary>
    /// <param name="channel">The channel's own address, from the options.</param>
    public (Uri? Url, string? Fault) AddressOf(ChannelAccount account, Uri channel)
    {
        if (account.Setting(ChannelAddress.BaseUrl) is not { } own)
        {
            return (channel, null);
        }

        // Looked at with each call: a host that is no longer allowed is not called any more.
        var (url, fault) = ChannelAddress.OfAccount(own, HostsOption, options.AllowedHosts);
        return (url, fault is null ? null : $"{ChannelAddress.BaseUrl} {fault}");
    }

    /// <summary>What is wrong with a field's value beyond its form; null: nothing.</summary>
    public string? FieldFault(string field, string value) =>
        field == ChannelAddress.BaseUrl ? ChannelAddress.OfAccount(value, HostsOption, options.AllowedHosts).Fault : null;

    /// <summary>
    /// The answer whole, whatever its status, or why there is none. Throws only when <paramref name="cancellationToken"/> was cancelled. The
    /// request is disposed.
    /// </summary>
    public Task<HttpAnswer> Send(HttpRequestMessage request, CancellationToken cancellationToken) => Send(shared, request, cancellationToken);

    /// <summary>The same over mutual TLS.</summary>
    /// <param name="account">Whose certificate it is; its connections are kept by this instance.</param>
    public Task<HttpAnswer> Send(HttpRequestMessage request, ChannelAccount account, X509Certificate2 certificate, CancellationToken cancellationToken) =>
        Send(Mutual(account, certificate), request, cancellationToken);

    /// <summary>
    /// The body of a bill as a stream, bounded in bytes and in the time without any. An answer of another status than 200 is read whole, within
    /// the limit of answers. Reading throws <see cref="BillException"/> for a broken or stalled connection and for too much.
    /// </summary>
    /// <exception cref="BillException">There is no answer.</exception>
    public async Task<BillAnswer> Open(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage? response = null;
        try
        {
            using (request)
            {
                Prepare(request);
                response = await Within(options.LongestCall, stop => shared.SendAsync(request, stop), cancellationToken);
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                using (response)
                {
                    var body = await Within(options.LongestCall, stop => ReadWhole(response, stop), cancellationToken);
                    return new BillAnswer(new HttpAnswer(HttpFault.None, (int)response.StatusCode, body ?? [], response.Headers), null);
                }
            }

            var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            return new BillAnswer(
                new HttpAnswer(HttpFault.None, (int)response.StatusCode, default, response.Headers),
                new BillStream(response, stream, options.MaxBillBytes, options.BillStall, clock));
        }
        catch (Exception e) when (IsFault(e, cancellationToken))
        {
            response?.Dispose();
            throw new BillException($"the bill cannot be had from {request.RequestUri?.Host}: {Word(Fault(e))} ({e.GetType().Name})", e);
        }
    }

    public void Dispose()
    {
        shared.Dispose();
        foreach (var (_, invoker) in mutual)
        {
            invoker.Dispose();
        }
    }

    internal static string Word(HttpFault fault) => fault switch
    {
        HttpFault.Unreachable => "unreachable",
        HttpFault.Timeout => "timeout",
        HttpFault.TooLarge => "too-large",
        _ => "no-answer",
    };

    private async Task<HttpAnswer> Send(HttpMessageInvoker invoker, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using (request)
            {
                Prepare(request);
                return await Within(options.LongestCall, stop => Exchange(invoker, request, stop), cancellationToken);
            }
        }
        catch (Exception e) when (IsFault(e, cancellationToken))
        {
            return new HttpAnswer(Fault(e), 0, default, null);
        }
    }

    private async Task<HttpAnswer> Exchange(HttpMessageInvoker invoker, HttpRequestMessage request, CancellationToken stop)
    {
        using var response = await invoker.SendAsync(request, stop);
        return await ReadWhole(response, stop) is { } body
            ? new HttpAnswer(HttpFault.None, (int)response.StatusCode, body, response.Headers)
            : new HttpAnswer(HttpFault.TooLarge, (int)response.StatusCode, default, null);
    }

    private static void Prepare(HttpRequestMessage request)
    {
        request.Version = HttpVersion.Version11;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        if (request.Content is { } content)
        {
            request.Headers.ExpectContinue = false;
            _ = content.Headers.ContentLength;
        }
    }

    /// <summary>Null: it is larger than allowed.</summary>
    private async Task<byte[]?> ReadWhole(HttpResponseMessage response, CancellationToken stop)
    {
        var length = response.Content.Headers.ContentLength;
        if (length > options.MaxAnswerBytes)
        {
            return null;
        }

        await using var stream = await response.Content.ReadAsStreamAsync(stop);
        var body = new byte[length ?? Math.Min(4096, options.MaxAnswerBytes)];
        var read = 0;
        while (true)
        {
            if (read == body.Length)
            {
                // Of a stated length the handler gives no byte more.
                if (length is not null)
                {
                    return body;
                }

                Array.Resize(ref body, (int)Math.Min(body.Length * 2L, options.MaxAnswerBytes + 1L));
            }

            var more = await stream.ReadAsync(body.AsMemory(read), stop);
            read += more;
            if (read > options.MaxAnswerBytes)
            {
                return null;
            }

            if (more == 0)
            {
                return read == body.Length ? body : length is null ? body[..read] : throw new HttpIOException(HttpRequestError.ResponseEnded);
            }
        }
    }

    private async Task<T> Within<T>(TimeSpan longest, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var cap = new CancellationTokenSource(longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cap.Token, cancellationToken);
        return await call(either.Token);
    }

    private HttpMessageInvoker Mutual(ChannelAccount account, X509Certificate2 certificate) =>
        mutual.GetValue(account, _ => new HttpMessageInvoker(handlers(certificate)));

    private static bool IsFault(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    /// <summary>
    /// Unreachable is only what ended before a byte of a request was written: the name, the connection, the handshake. A connection that took too
    /// long is a cancellation with a time-out inside, since nothing else in the handler makes one without a time limit of its own.
    /// </summary>
    private static HttpFault Fault(Exception e) => e switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError } => HttpFault.Unreachable,
        OperationCanceledException { InnerException: TimeoutException } => HttpFault.Unreachable,
        OperationCanceledException => HttpFault.Timeout,
        _ => HttpFault.Lost,
    };

    internal static SocketsHttpHandler Handler(ChannelHttpOptions options, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = options.MaxConnectionsPerHost,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = options.IdleTimeout,
            PooledConnectionLifetime = options.ConnectionLifetime,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = options.Proxy is not null,
            Proxy = options.Proxy is { } proxy ? new WebProxy(proxy) : null,

            // What is too large is not read to its end for the sake of the connection.
            MaxResponseDrainSize = 0,
            MaxResponseHeadersLength = 32,

            // Traces of calls carry no header of ours to the channels.
            ActivityHeadersPropagator = null,
        };
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        return handler;
    }
}
