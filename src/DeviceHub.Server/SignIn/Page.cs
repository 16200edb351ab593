using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;

namespace DeviceHub.Server.SignIn;

/// <summary>The few pages of the server itself, in the reader's language. Every value that is not ours is encoded.</summary>
internal static class Page
{
    private const string Style =
        "body{font:16px/1.5 system-ui,'Noto Sans SC',sans-serif;background:#f3f5f8;color:#1c2430;margin:0;display:grid;place-items:center;min-height:100vh}" +
        "main{background:#fff;padding:2rem 2.25rem;border-radius:14px;box-shadow:0 8px 30px #1c243018;width:min(28.5rem,94vw);box-sizing:border-box;margin:2rem 0}" +
        "h1{font-size:1.35rem;margin:0 0 1rem}h2{font-size:1rem;margin:1.75rem 0 .5rem}label{display:block;margin:.75rem 0 .2rem;font-size:.9rem}" +
        "input,select{width:100%;box-sizing:border-box;padding:.6rem .7rem;border:1px solid #8b95a5;border-radius:8px;font:inherit;background:inherit;color:inherit}" +
        "button{margin-top:1.1rem;width:100%;padding:.65rem;border:0;border-radius:8px;background:#1257c4;color:#fff;font:inherit;font-weight:600;cursor:pointer}" +
        "a{color:#1257c4}ul{padding-left:1.1rem}.good,.bad{padding:.6rem .8rem;border-radius:8px;overflow-wrap:anywhere}.good{background:#dff3e4;color:#0b4a1c}.bad{background:#fde4e4;color:#7d1212}" +
        "@media(prefers-color-scheme:dark){body{background:#12161c;color:#e6eaf0}main{background:#1c222b}a{color:#8ab8ff}}";

    public static IResult SignIn(HttpContext http, AntiforgeryTokenSet tokens, string returnUrl, bool wrong)
    {
        var body = new StringBuilder();
        body.Append(CultureInfo.InvariantCulture, $"<h1>DeviceHub · {Text("SignIn")}</h1>");
        if (wrong)
        {
            body.Append(CultureInfo.InvariantCulture, $"<p class=bad role=alert>{Text("WrongCredentials")}</p>");
        }

        body.Append("<form method=post action=\"/sign-in\">").Append(Hidden(tokens));
        body.Append(CultureInfo.InvariantCulture, $"<input type=hidden name=returnUrl value=\"{Encode(returnUrl)}\">");
        body.Append(Input("userName", "UserName", "text", "username"));
        body.Append(Input("password", "Password", "password", "current-password"));
        body.Append(CultureInfo.InvariantCulture, $"<button>{Text("SignIn")}</button></form>");
        return Html(http, Texts.Get("SignIn"), body, wrong ? StatusCodes.Status401Unauthorized : StatusCodes.Status200OK);
    }

    public static IResult Home(HttpContext http, AntiforgeryTokenSet tokens, string? message, bool good)
    {
        var body = new StringBuilder();
        body.Append(CultureInfo.InvariantCulture, $"<h1>{Text("Home")}</h1><p>{Text("SignedInAs")} <b>{Encode(http.User.Identity?.Name ?? "")}</b></p>");
        if (message is not null)
        {
            body.Append(CultureInfo.InvariantCulture, $"<p class={(good ? "good" : "bad")} role=status>{Encode(message)}</p>");
        }

        body.Append(CultureInfo.InvariantCulture, $"<ul><li><a href=\"/orleans\">{Text("Dashboard")}</a><li><a href=\"/scalar\">{Text("ApiPages")}</a>");
        body.Append(CultureInfo.InvariantCulture, $"<li><a href=\"/openapi/v1.json\">{Text("OpenApi")}</a><li><a href=\"/metrics\">{Text("Metrics")}</a><li><a href=\"/health/ready\">{Text("Ready")}</a></ul>");
        body.Append(CultureInfo.InvariantCulture, $"<h2>{Text("ApiKeys")}</h2><form method=post action=\"/new-api-key\">{Hidden(tokens)}");
        body.Append(Input("name", "ApiKeyName", "text", "off"));
        body.Append(CultureInfo.InvariantCulture, $"<label for=scope>{Text("ApiKeyScopes")}</label><select id=scope name=scope><option value=read>{Text("ScopeRead")}");
        body.Append(CultureInfo.InvariantCulture, $"<option value=metrics>{Text("ScopeMetrics")}<option value=admin>{Text("ScopeAdmin")}</select><button>{Text("Create")}</button></form>");
        body.Append(CultureInfo.InvariantCulture, $"<h2>{Text("ChangePassword")}</h2><form method=post action=\"/password\">{Hidden(tokens)}");
        body.Append(Input("current", "CurrentPassword", "password", "current-password"));
        body.Append(Input("replacement", "NewPassword", "password", "new-password"));
        body.Append(CultureInfo.InvariantCulture, $"<button>{Text("ChangePassword")}</button></form>");
        body.Append(CultureInfo.InvariantCulture, $"<form method=post action=\"/sign-out\">{Hidden(tokens)}<button>{Text("SignOut")}</button></form>");
        return Html(http, Texts.Get("Home"), body, StatusCodes.Status200OK);
    }

    private static IResult Html(HttpContext http, string title, StringBuilder body, int status)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
        headers.CacheControl = "no-store";
        var language = CultureInfo.CurrentUICulture.Name;
        var html = $"<!doctype html><html lang=\"{Encode(language)}\"><head><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\">" +
            $"<title>{Encode(title)}</title><style>{Style}</style></head><body><main>{body}</main></body></html>";
        return Results.Content(html, "text/html; charset=utf-8", Encoding.UTF8, status);
    }

    private static string Input(string name, string label, string type, string autocomplete) =>
        $"<label for={name}>{Text(label)}</label><input id={name} name={name} type={type} autocomplete={autocomplete} maxlength=256 required>";

    private static string Hidden(AntiforgeryTokenSet tokens) =>
        $"<input type=\"hidden\" name=\"{tokens.FormFieldName}\" value=\"{Encode(tokens.RequestToken ?? "")}\">";

    private static string Text(string name) => Encode(Texts.Get(name));

    private static string Encode(string value) => HtmlEncoder.Default.Encode(value);
}
