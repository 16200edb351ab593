using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.RateLimiting;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using DeviceHub.Server.SignIn;
using Microsoft.Extensions.Options;
using Scalar.AspNetCore;

namespace DeviceHub.Server.Api;

/// <summary>The HTTP API, version 1: its shape, limits and documentation. Each resource is mapped in a file of its own.</summary>
internal static class HubApi
{
    private const string RateLimit = "api";

    public static void AddHubApi(this IServiceCollection services)
    {
        services.AddHttpContextAccessor();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<WrongCredentials>();
        services.AddSingleton<IApiKeys, ApiKeyBook>();
        services.AddSingleton<Paging>();
        services.AddSingleton<NoticesApi>();
        services.AddSingleton<AccountViews>();
        services.AddSingleton<ReconciliationReport>();
        services.AddSingleton<TerminalsExport>();
        services.AddSingleton<PaymentsExport>();
        services.AddSingleton<RefundProposalsApi.Deciding>();
        services.AddSingleton<ChargesApi.Waits>();
        services.AddSingleton<IProblemDetailsWriter, ProblemPage>();
        services.AddProblemDetails();
        services.AddExceptionHandler<ProblemHandler>();
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
            json.SerializerOptions.MaxDepth = 16;

            // A mistyped field would otherwise be left out silently.
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        });
        services.AddOpenApi("v1", Document.Describe);
        services.AddRateLimiter(_ => { });
        services.AddOptions<Microsoft.AspNetCore.RateLimiting.RateLimiterOptions>().Configure<IOptions<ServerOptions>>((limiter, server) => Limit(limiter, server.Value));
    }

    public static void MapHubApi(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1").RequireAuthorization(Policies.Read).RequireRateLimiting(RateLimit).AddEndpointFilter(RefuseForeignPages);
        api.MapGroup("").WithTags("Merchants and stores").MapMerchants();
        api.MapGroup("").WithTags("Merchants and stores").MapWebhooks();
        api.MapGroup("").WithTags("Activation codes").MapActivationCodes();
        api.MapGroup("").WithTags("Terminals").MapTerminals();
        api.MapGroup("").WithTags("Terminals").MapTestPayments();
        api.MapGroup("").WithTags("Terminals").MapHeartbeats();
        api.MapGroup("").WithTags("Payments").MapPayments();
        api.MapGroup("").WithTags("Payments").MapRefunds();
        api.MapGroup("").WithTags("Channel accounts and routing").MapChannelAccounts();
        api.MapGroup("").WithTags("Channel accounts and routing").MapRouting();
        api.MapGroup("").WithTags("Reconciliation").MapReconciliations();
        api.MapGroup("").WithTags("Reconciliation").MapRefundProposals();
        api.MapGroup("").WithTags("API keys and audit").MapApiKeys();
        api.MapGroup("").WithTags("People").MapPeople();
        var till = routes.MapGroup("/api/v1").RequireAuthorization(Permission.ReadCharges).RequireRateLimiting(RateLimit).AddEndpointFilter(RefuseForeignPages);
        till.MapGroup("").WithTags("Charges from the till").MapCharges();
        routes.MapGet("/api/v1/time", (TimeProvider clock) => new HubTime(clock.GetUtcNow().ToUnixTimeMilliseconds()))
            .AllowAnonymous().RequireRateLimiting(RateLimit).WithTags("Time").WithSummary("The hub's time, for terminals that make a token");
        NoticesApi.Map(routes);
        var pages = routes.MapGroup("").RequireAuthorization(Policies.Read);
        pages.MapOpenApi("/openapi/{documentName}.json");
        pages.MapGet("/openapi/routing-core.json", () => Results.Stream(typeof(HubApi).Assembly.GetManifestResourceStream("routing-core.json")!, "application/json"))
            .ExcludeFromDescription();
        pages.MapScalarApiReference("/scalar", scalar =>
        {
            // Only what needs nobody else's server.
            scalar.WithTitle("DeviceHub").DisableDefaultFonts().DisableAgent().DisableMcp();
            scalar.ShowDeveloperTools = DeveloperToolsVisibility.Never;
            scalar.HideClientButton = true;
        });

        // Scalar opens its script to everybody.
        ((IEndpointConventionBuilder)pages).Finally(endpoint =>
        {
            foreach (var open in endpoint.Metadata.OfType<Microsoft.AspNetCore.Authorization.IAllowAnonymous>().ToList())
            {
                endpoint.Metadata.Remove(open);
            }
        });
    }

    internal sealed record HubTime(long UnixTimeMs);

    /// <summary>
    /// A change with a person's cookie must come from this hub's own pages: the browser says where a request was made. Programs use keys,
    /// which no browser adds by itself.
    /// </summary>
    private static ValueTask<object?> RefuseForeignPages(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var request = context.HttpContext.Request;
        var safe = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (safe || context.HttpContext.User.Identity?.AuthenticationType == ApiKey.Scheme || IsOwnPage(request))
        {
            return next(context);
        }

        return new(Results.Problem(statusCode: StatusCodes.Status403Forbidden, detail: "a change with a sign-in cookie must come from this hub's own pages; programs use an API key"));
    }

    private static bool IsOwnPage(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Origin.ToString(), UriKind.Absolute, out var origin)
        && origin.Scheme == request.Scheme && origin.Authority == new Uri($"{request.Scheme}://{request.Host}").Authority;

    private static void Limit(Microsoft.AspNetCore.RateLimiting.RateLimiterOptions limiter, ServerOptions server)
    {
        limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        limiter.OnRejected = async (context, stop) =>
        {
            if (context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after))
            {
                context.HttpContext.Response.Headers.RetryAfter = ((int)Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            }

            await Results.Problem(statusCode: StatusCodes.Status429TooManyRequests, detail: "too many requests; try again later").ExecuteAsync(context.HttpContext);
        };
        limiter.AddPolicy(RateLimit, http => RateLimitPartition.GetTokenBucketLimiter(
            http.User.Identity is { IsAuthenticated: true, Name: { } name } ? name : Address(http), _ => Bucket(server.ApiRequestsPerSecond)));
        limiter.AddPolicy(NoticesApi.RateLimit, http => RateLimitPartition.GetTokenBucketLimiter(Address(http), _ => Bucket(server.NoticesPerSecond)));
        limiter.AddPolicy(SignInPages.RateLimit, http => RateLimitPartition.GetFixedWindowLimiter(
            Address(http), _ => new FixedWindowRateLimiterOptions { PermitLimit = server.SignInsPerMinute, Window = TimeSpan.FromMinutes(1), QueueLimit = 0 }));
    }

    private static TokenBucketRateLimiterOptions Bucket(int perSecond) => new()
    {
        TokenLimit = perSecond * 5,
        TokensPerPeriod = perSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        QueueLimit = 0,
    };

    private static string Address(HttpContext http) => http.Connection.RemoteIpAddress?.ToString() ?? "unknown";
}
