using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.UnitTests.Channels;

/// <summary>On real sockets of the loopback: what was never sent, what was sent once, what is too much.</summary>
public sealed class ChannelHttpTests : IDisposable
{
    private const string Fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ChannelHttpOptions options = new() { ConnectTimeout = TimeSpan.FromSeconds(30), BillStall = TimeSpan.FromSeconds(1) };
    private readonly ChannelHttp http;
    private readonly CancellationTokenSource end = new();
    private int requests;

    public ChannelHttpTests()
    {
        http = new ChannelHttp(Options.Create(options), TimeProvider.System);
        listener.Start();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_with_a_body_on_a_kept_connection_that_ends_is_sent_once_and_proves_nothing(bool reset)
    {
        Serve(async (stream, number) =>
        {
            if (number == 1)
            {
                await Write(stream, Fine);
                return true;
            }

            stream.Socket.LingerState = new LingerOption(reset, 0);
            return false;
        });
        Assert.Equal("ok", Text(await Post()));

        var answer = await Post();

        Assert.Equal(HttpFault.Lost, answer.Fault);
        Assert.Equal(Verdict.Unknown, answer.Verdict(EffectKind.Pay)!.Verdict);
        Assert.Equal(2, Volatile.Read(ref requests));
    }

    [Fact]
    public async Task Connections_are_kept_for_the_next_call()
    {
        var connections = Serve(async (stream, _) =>
        {
            await Write(stream, Fine);
            return true;
        });
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("ok", Text(await Post()));
        }

        Assert.Equal(1, connections());
    }

    [Fact]
    public async Task Refused_connection_was_never_sent()
    {
        listener.Stop();
        var answer = await Post();

        Assert.Equal(new ChannelVerdict(Verdict.Rerouteable, "unreachable"), answer.Verdict(EffectKind.Pay));
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, "unreachable"), answer.Verdict(EffectKind.Refund));
    }

    [Fact]
    public async Task Handshake_that_is_not_answered_was_never_sent()
    {
        using var hurried = new ChannelHttp(
            Options.Create(new ChannelHttpOptions { ConnectTimeout = TimeSpan.FromMilliseconds(300) }), TimeProvider.System);
        Assert.Equal(HttpFault.Unreachable, (await hurried.Send(Request("https"), default)).Fault);
    }

    [Fact]
    public async Task Handshake_that_is_not_TLS_was_never_sent()
    {
        Serve((_, _) => Task.FromResult(false), anything: true);
        Assert.Equal(HttpFault.Unreachable, (await Post("https")).Fault);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\nok", HttpFault.TooLarge)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", HttpFault.Lost)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha", HttpFault.Lost)]
    [InlineData("SSH-2.0-OpenSSH\r\n", HttpFault.Lost)]
    [InlineData("", HttpFault.Lost)]
    public async Task Answer_that_is_not_whole_proves_nothing(string raw, HttpFault fault)
    {
        Serve(async (stream, _) =>
        {
            await Write(stream, raw);
            return false;
        });
        var answer = await Post();

        Assert.Equal(fault, answer.Fault);
        Assert.Equal(Verdict.Unknown, answer.Verdict(EffectKind.Pay)!.Verdict);
    }

    [Theory]
    [InlineData(502, "http502")]
    [InlineData(302, "http302")]
    public async Task Fault_of_the_server_or_a_redirect_proves_nothing_and_is_not_followed(int status, string code)
    {
        Serve(async (stream, _) =>
        {
            await Write(stream, $"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
            return true;
        });
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, code), (await Post()).Verdict(EffectKind.Pay));
        Assert.Equal(1, Volatile.Read(ref requests));
    }

    [Fact]
    public async Task Endless_answer_is_broken_off()
    {
        Serve(async (stream, _) =>
        {
            await Write(stream, "HTTP/1.1 200 OK\r\n\r\n");
            var block = new byte[64 * 1024];
            for (var sent = 0; sent < 100 * 1024 * 1024; sent += block.Length)
            {
                await stream.WriteAsync(block, end.Token);
            }

            return false;
        });
        Assert.Equal(HttpFault.TooLarge, (await Post()).Fault);
    }

    [Fact]
    public async Task Cancelled_caller_is_no_fault()
    {
        Serve(async (_, _) =>
        {
            await end.CancelAsync();
            return true;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => http.Send(Request("http"), end.Token));
    }

    [Fact]
    public async Task Client_certificate_is_shown_in_the_handshake_of_its_account_and_of_no_other_call()
    {
        using var key = RSA.Create(2048);
        using var certificate = WeChat.WeChatStub.SelfSigned(key, TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var trusting = new ChannelHttp(options, TimeProvider.System, shown =>
        {
            var handler = ChannelHttp.Handler(options, shown);
            handler.SslOptions.RemoteCertificateValidationCallback = IsOurs;
            return handler;
        });
        var seen = new ConcurrentQueue<string?>();
        _ = Accept();

        await trusting.Send(Request("https"), default);
        await trusting.Send(Request("https"), new ChannelAccount { Id = "a", MerchantId = "m", Channel = "c" }, certificate, default);

        Assert.Equal([null, "CN=1900000109"], seen);

        bool IsOurs(object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors) =>
            shown is null || shown.GetCertHashString() == certificate.Thumbprint;

        async Task Accept()
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(end.Token);
                await using var tls = new SslStream(client.GetStream());
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = certificate, ClientCertificateRequired = true, RemoteCertificateValidationCallback = IsOurs,
                });
                seen.Enqueue(tls.RemoteCertificate?.Subject);
                await tls.ReadAtLeastAsync(new byte[4096], 1, false, end.Token);
                await tls.WriteAsync(Encoding.ASCII.GetBytes(Fine), end.Token);
            }
        }
    }

    [Fact]
    public async Task Bill_that_stalls_ends_with_words()
    {
        Serve(async (stream, _) =>
        {
            await Write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            return true;
        });
        var bill = await http.Open(Request("http"), default);
        await using var body = bill.Body!;

        var fault = await Assert.ThrowsAsync<BillException>(() => body.CopyToAsync(Stream.Null));
        Assert.Contains("stalled for 00:00:01 after 4 bytes", fault.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        end.Cancel();
        http.Dispose();
        listener.Dispose();
        end.Dispose();
    }

    private Task<HttpAnswer> Post(string scheme = "http") => http.Send(Request(scheme), default);

    private HttpRequestMessage Request(string scheme) =>
        new(HttpMethod.Post, $"{scheme}://{((IPEndPoint)listener.LocalEndpoint)}/pay") { Content = new StringContent("<xml>money</xml>") };

    private static string Text(HttpAnswer answer) => Encoding.UTF8.GetString(answer.Body.Span);

    private static Task Write(NetworkStream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text)).AsTask();

    /// <summary>Reads requests whole; <paramref name="answer"/> says whether the connection lives on.</summary>
    private Func<int> Serve(Func<NetworkStream, int, Task<bool>> answer, bool anything = false)
    {
        var connections = 0;
        _ = Accept();
        return () => connections;

        async Task Accept()
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(end.Token);
                connections++;
                _ = Talk(client);
            }
        }

        async Task Talk(TcpClient client)
        {
            using (client)
            {
                var stream = client.GetStream();
                var buffer = new byte[4096];
                var text = "";
                while (await stream.ReadAsync(buffer, end.Token) is var read and > 0)
                {
                    text += Encoding.ASCII.GetString(buffer, 0, read);
                    if (!anything && !text.EndsWith("</xml>", StringComparison.Ordinal))
                    {
                        continue;
                    }

                    text = "";
                    if (!await answer(stream, Interlocked.Increment(ref requests)))
                    {
                        return;
                    }
                }
            }
        }
    }
}
