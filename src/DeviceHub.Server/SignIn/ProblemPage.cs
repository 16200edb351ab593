using DeviceHub.Dashboard.SignIn;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DeviceHub.Server.SignIn;

/// <summary>A "no" to a person's browser, as a page in words for people. Programs are told the same in problem details.</summary>
internal sealed class ProblemPage : IProblemDetailsWriter
{
    /// <summary>A reader waits for a page, not a program or a page's script.</summary>
    public static bool IsFor(HttpRequest request) =>
        !request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    public bool CanWrite(ProblemDetailsContext context) => IsFor(context.HttpContext.Request);

    public async ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        var status = context.ProblemDetails.Status ?? http.Response.StatusCode;
        var again = HttpMethods.IsPost(http.Request.Method) && http.Request.Path.Value is SignInPages.Path or SignInPages.CodePath or SignInPages.WelcomePath
            ? http.Request.Path.Value : null;
        await new RazorComponentResult<RefusalPage>(new { Status = status, Again = again }) { StatusCode = status }.ExecuteAsync(http);
    }
}
