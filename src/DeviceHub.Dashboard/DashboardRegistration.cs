using DeviceHub.Core;
using DeviceHub.Core.People;
using DeviceHub.Dashboard.Payments;
using DeviceHub.Dashboard.Shared;
using DeviceHub.Dashboard.SignIn;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MudBlazor.Services;

namespace DeviceHub.Dashboard;

public static class DashboardRegistration
{
    public static IServiceCollection AddHubDashboard(this IServiceCollection services)
    {
        services.AddOptionsSection<DashboardOptions>(DashboardOptions.Section);
        services.AddSingleton<IValidateOptions<DashboardOptions>, DashboardOptionsValidator>();
        services.AddLocalization();
        services.AddMudServices();
        services.AddSingleton<MudBlazor.MudLocalizer, MudWords>();
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.AddOptions<CircuitOptions>().Configure<IOptions<DashboardOptions>>((circuits, dashboard) =>
        {
            circuits.DisconnectedCircuitMaxRetained = dashboard.Value.MaxLostPages;
            circuits.DisconnectedCircuitRetentionPeriod = dashboard.Value.KeepLostPage;
        });
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, SessionState>();
        services.AddScoped<Me>();
        services.AddTransient<Doing>();
        services.AddScoped<Format>();
        services.AddScoped<Who>();
        services.AddScoped<PaymentWords>();
        services.AddScoped<LedgerWords>();
        services.AddScoped<ChannelWords>();
        services.AddScoped<Terminals.AuditWords>();
        services.AddSingleton<Pages.OverviewBoard>();
        return services;
    }

    /// <summary>All pages are for people who have signed in; each says what more it wants. Nothing is posted to them: what they do goes over their connection.</summary>
    public static void MapHubDashboard(this IEndpointRouteBuilder routes)
    {
        routes.MapRazorComponents<App>()
            .AddInteractiveServerRenderMode(server =>
            {
                server.ContentSecurityFrameAncestorsPolicy = null;

                // Changes are small and many: compressing each costs the payments more time than the line saves, and a window of memory a page.
                server.DisableWebSocketCompression = true;
            })
            .RequireAuthorization(Policies.Person)
            .Add(endpoint =>
            {
                if (endpoint.Metadata.OfType<ComponentTypeMetadata>().Any() && endpoint.Metadata.OfType<HttpMethodMetadata>().SingleOrDefault() is { } methods)
                {
                    endpoint.Metadata.Remove(methods);
                    endpoint.Metadata.Add(new HttpMethodMetadata(["GET"]));
                }
            });
        Preferences.Map(routes);
    }
}
