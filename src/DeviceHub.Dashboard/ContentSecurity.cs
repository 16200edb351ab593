using Microsoft.AspNetCore.Http;

namespace DeviceHub.Dashboard;

/// <summary>
/// What a page may load: its own files, nothing inline that runs, nothing evaluated, nobody else's. Styles may be inline, since MudBlazor writes its
/// colours and positions so.
/// </summary>
internal static class ContentSecurity
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
        "form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

    public static void Apply(HttpContext http)
    {
        http.Response.Headers.ContentSecurityPolicy = Policy;

        // As forms of ASP.NET Core want it; anything else it overwrites, with a warning each time.
        (http.Response.Headers.CacheControl, http.Response.Headers.Pragma) = ("no-cache, no-store", "no-cache");
    }
}
