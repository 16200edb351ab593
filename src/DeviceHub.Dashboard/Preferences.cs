using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Routing;

namespace DeviceHub.Dashboard;

/// <summary>What a browser remembers of its reader: the language (ASP.NET Core's own cookie) and light or dark. No account is needed.</summary>
public static class Preferences
{
    public const string Light = "light";
    public const string Dark = "dark";

    /// <summary>As the machine of the reader is set.</summary>
    public const string System = "system";

    private const string ThemeCookie = "devicehub.theme";
    private const string Path = "/preferences";

    /// <summary>The address that sets one of them and comes back.</summary>
    public static string Address(string name, string value, string returnUrl) => $"{Path}?{name}={value}&returnUrl={Uri.EscapeDataString(returnUrl)}";

    public static string Theme(HttpContext http) => http.Request.Cookies[ThemeCookie] is Light or Dark ? http.Request.Cookies[ThemeCookie]! : System;

    internal static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, (HttpContext http, string? theme, string? language, string? returnUrl) =>
        {
            if (theme is Light or Dark or System)
            {
                Keep(http, ThemeCookie, theme);
            }

            if (language is "en" or "zh-Hans")
            {
                Keep(http, CookieRequestCultureProvider.DefaultCookieName, CookieRequestCultureProvider.MakeCookieValue(new RequestCulture(language)));
            }

            return Results.LocalRedirect(LocalAddress.Of(returnUrl));
        }).AllowAnonymous().ExcludeFromDescription();

    private static void Keep(HttpContext http, string name, string value) => http.Response.Cookies.Append(name, value, new CookieOptions
    {
        MaxAge = TimeSpan.FromDays(365),
        HttpOnly = true,
        IsEssential = true,
        SameSite = SameSiteMode.Lax,
        Secure = http.Request.IsHttps,
    });
}

/// <summary>An address that a request names and that the reader is led to: only a path of this hub, never another site, and as browsers write it: a header takes nothing else.</summary>
public static class LocalAddress
{
    private const int MaxLength = 2048;

    public static string Of(string? url) =>
        url is { Length: > 0 and <= MaxLength } && url[0] == '/' && (url.Length == 1 || (url[1] != '/' && url[1] != '\\')) && url.All(c => c is > ' ' and <= '~') ? url : "/";
}
