using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Alipay;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Http;
using DeviceHub.Tools.ChannelSandbox.Notices;
using DeviceHub.Tools.ChannelSandbox.Shouqianba;
using DeviceHub.Tools.ChannelSandbox.WeChat;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DeviceHub.Tools.ChannelSandbox;

/// <summary>All of it, listening.</summary>
internal sealed class SandboxServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly CancellationTokenSource ending = new();
    private readonly Book journal;
    private readonly Transmission transmission;
    private readonly Control control;
    private readonly ListenerGate gate;
    private readonly NoticeSender notices;
    private readonly IDialect[] dialects;
    private Task settling = Task.CompletedTask;

    public SandboxServer(SandboxOptions options, AccountsFile accounts, TimeProvider time)
    {
        Clock = new ChannelClock(time) { Skew = options.ClockSkew };
        journal = new Book(options.Book);
        Bank = new Bank.Bank(journal, options, Clock);
        Faults = new FaultPlan(options);
        transmission = new Transmission(options, time);
        app = Build(options, time);
        gate = (ListenerGate)app.Services.GetRequiredService<IConnectionListenerFactory>();
        var rates = new RateLimit(options, Clock);
        var wechat = new WeChatBook(accounts.WeChat);
        var alipay = new AlipayBook(accounts.Alipay);
        notices = new NoticeSender(
            [new WeChatV2Notices(wechat), new WeChatV3Notices(wechat, Clock), new AlipayNotices(alipay, Clock), new ShouqianbaNotices(accounts.Shouqianba)], options, time);
        Bank.Happened = notices.Tell;
        control = new Control(Bank, Faults, notices, gate, Clock);
        dialects =
        [
            new WeChatV2(wechat, Bank, Faults, Clock, options, rates),
            new WeChatV3(wechat, Bank, Faults, Clock, options, rates),
            new AlipayGateway(alipay, Bank, Faults, Clock, options, rates),
            new ShouqianbaApi(new Terminals(accounts.Shouqianba, options.Book is { } book ? book + ".terminals" : null, Clock), Bank, Faults, Clock, rates),
        ];
        app.Run(Serve);
    }

    public Bank.Bank Bank { get; }

    public FaultPlan Faults { get; }

    public ChannelClock Clock { get; }

    public IEnumerable<string> Urls => app.Urls;

    public async Task Start()
    {
        await app.StartAsync();
        settling = Bank.Due.Run(ending.Token);
    }

    /// <summary>Until SIGTERM or Ctrl-C.</summary>
    public Task Wait(CancellationToken cancellation) => app.WaitForShutdownAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await settling;
        await notices.DisposeAsync();
        await app.DisposeAsync();
        journal.Dispose();
        ending.Dispose();
    }

    private Task Serve(HttpContext context)
    {
        if (gate.IsClosed)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        var path = context.Request.Path.Value!;
        foreach (var dialect in dialects)
        {
            if (dialect.ApiOf(path) is { } api)
            {
                var serving = transmission.Serve(context, dialect, api);
                return serving.IsCompletedSuccessfully ? Task.CompletedTask : serving.AsTask();
            }
        }

        return control.Serve(context);
    }

    private static WebApplication Build(SandboxOptions options, TimeProvider time)
    {
        // It reads no appsettings.json anew; its folder and all below it would be watched for that.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders().AddSimpleConsole().SetMinimumLevel(LogLevel.Error);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.RemoveAll<IConnectionListenerFactory>();
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => new ListenerGate(time, services.GetRequiredService<ILoggerFactory>()));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        return builder.Build();
    }

    private static void Listen(KestrelServerOptions kestrel, SandboxOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        kestrel.Limits.MaxConcurrentConnections = 10_000;
        kestrel.Listen(Address(options.Url), options.Url.Port);
        if (options.TlsUrl is { } tls)
        {
            kestrel.Listen(Address(tls), tls.Port, listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = ServerCertificate();
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.AllowAnyClientCertificate();
            }));
        }
    }

    private static X509Certificate2 ServerCertificate()
    {
        using var key = RSA.Create(2048);
        using var certificate = X509Certificate2.CreateFromPem(AccountMaker.Certificate(key, "CN=localhost", server: true));
        return certificate.CopyWithPrivateKey(key);
    }

    private static IPAddress Address(Uri url) => url.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(url.Host);
}
