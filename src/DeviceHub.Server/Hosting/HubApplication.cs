using DeviceHub.Channels;
using DeviceHub.Channels.Alipay;
using DeviceHub.Channels.Remote;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Channels.Shouqianba;
using DeviceHub.Channels.WeChatPay;
using DeviceHub.Core;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Terminals;
using DeviceHub.Dashboard;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Gateways.Serial;
using DeviceHub.Server.Api;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.SignIn;
using DeviceHub.Server.Webhooks;
using DeviceHub.Storage;
using Orleans.Dashboard;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Hosting;

/// <summary>Puts the hub together. Program, tests and the demo all start the hub that this builds.</summary>
public static class HubApplication
{
    /// <param name="configure">Called before anything is registered: more configuration, another clock, other logging.</param>
    /// <param name="started">Is told what a person must know after the start; null: standard output is.</param>
    /// <exception cref="StartException">The data folder cannot be used, or a name that is no option was written.</exception>
    /// <exception cref="OptionsValidationException">A server option is wrong. Others are found at the start itself.</exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null, Action<HubStart>? started = null)
    {
        OptionNames.Check(args);

        // Options are read once. Appsettings.json would be watched by its folder with all below it, where the data folder is by default: every write of the
        // ledger would wake the watcher.
        var builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders().AddHubLogging();
        configure?.Invoke(builder);
        var folder = DataFolder.Open(ReadServerOptions(builder.Configuration).DataFolder);
        try
        {
            Register(builder, folder);
            OptionNames.Check(builder.Configuration, builder.Services);
            var app = builder.Build();

            // Before the host starts: it would log a wrong option as a fault of the program, with its stack.
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            app.Services.GetRequiredService<DataFolder>();
            app.MapHub();
            app.TellStart(started ?? StartNotice.Print);
            return app;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The order is that of the start; a stop goes backwards: web and terminals first, then payments, grains, storage.</summary>
    private static void Register(WebApplicationBuilder builder, DataFolder folder)
    {
        var services = builder.Services;
        services.AddOptionsSection<ServerOptions>(ServerOptions.Section);
        services.AddSingleton<IValidateOptions<ServerOptions>, ServerOptionsValidator>();
        services.AddOptions<HostOptions>().Configure<IOptions<ServerOptions>>((host, server) => host.ShutdownTimeout = server.Value.StopDeadline);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(_ => folder);
        services.AddSingleton(folder.LoadKeys());
        services.AddHubTelemetry();
        services.AddSingleton(s => new RecordLimit(s.GetRequiredService<IOptions<ServerOptions>>().Value.MaxRecords));
        services.AddHubStorage(folder.Path);
        services.AddHubAccounts();
        builder.AddHubSilo(ReadServerOptions(builder.Configuration).ProfileGrains);
        services.AddTerminals();
        services.AddSandbox();
        services.AddAlipay();
        services.AddWeChatPay();
        services.AddShouqianba();
        services.AddRemoteCore();
        services.AddSingleton(s => new NoticeAddress(s.GetRequiredService<IOptions<ServerOptions>>().Value.PublicUrl));

        // A bank that forgot its charges when the hub died would make a restart look like a loss; an empty name keeps it in memory.
        services.PostConfigure<SandboxOptions>(sandbox => sandbox.Book ??= sandbox.Url is null ? Path.Combine(folder.Path, "sandbox.book") : null);
        services.AddPayments();
        services.AddCharges();
        services.AddReconciliation();
        services.AddTerminalSessions();
        services.AddMqttEndpoint(folder.Path);
        services.AddSerialEndpoint(Path.Combine(folder.Path, "serial"));
        services.AddHubApi();
        services.AddWebhooks();
        services.AddHubDashboard();
        services.AddHubPermissions();
        services.AddHubHealth();
        services.AddRequestLocalization(languages => languages
            .SetDefaultCulture(Texts.English.Name)
            .AddSupportedCultures(Texts.English.Name, Texts.Chinese.Name)
            .AddSupportedUICultures(Texts.English.Name, Texts.Chinese.Name));
        services.AddSingleton<HttpListeners>();
        services.AddSingleton<IConfigureOptions<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>>(s => s.GetRequiredService<HttpListeners>());
    }

    private static void MapHub(this WebApplication app)
    {
        // The language first: what went wrong is told in it, too.
        app.UseRequestLocalization();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.Use((http, next) =>
        {
            var headers = http.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            return next(http);
        });
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.UseAntiforgery();
        app.MapHubHealth();
        app.MapPrometheusScrapingEndpoint("/metrics").RequireAuthorization(Permission.Metrics);
        app.MapOrleansDashboard("/orleans").RequireAuthorization(Permission.OwnerInPerson);
        app.MapDashboardFiles();
        app.MapHubDashboard();
        app.MapSignIn();
        app.MapHubApi();
    }

    private static ServerOptions ReadServerOptions(ConfigurationManager configuration)
    {
        var options = new ServerOptions();
        OptionsSection.Bind(configuration, ServerOptions.Section, options);
        if (new ServerOptionsValidator().Validate(null, options) is { Failed: true } result)
        {
            throw new OptionsValidationException(ServerOptions.Section, typeof(ServerOptions), result.Failures);
        }

        return options;
    }
}
