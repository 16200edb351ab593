using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceHub.Core;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Server.Api;

/// <summary>Every "no" of the HTTP API, as RFC 9457 problem details.</summary>
internal static class Problems
{
    public static IResult NotFound(string what) => Results.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not found", detail: $"there is no {what}");

    public static IResult Conflict(string detail) => Results.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: detail);

    public static IResult Field(string field, string fault) =>
        Results.ValidationProblem(new Dictionary<string, string[]> { [field] = [fault] });

    /// <summary>A grain's refusal in HTTP's words.</summary>
    public static IResult Of(Refusal refusal, string field, params (string Name, object? Value)[] more)
    {
        var status = refusal.Code switch
        {
            RefusalCode.UnknownPayment => StatusCodes.Status404NotFound,
            RefusalCode.Malformed or RefusalCode.Amount => StatusCodes.Status400BadRequest,
            RefusalCode.Storage or RefusalCode.Busy or RefusalCode.Stopping => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status409Conflict,
        };
        return status == StatusCodes.Status400BadRequest
            ? Field(field, refusal.Detail)
            : Results.Problem(
                statusCode: status, detail: refusal.Detail, extensions: more.Append(("code", refusal.Code.ToString())).ToDictionary(m => m.Item1, m => m.Item2));
    }
}

/// <summary>Collects what is wrong with a request's fields, so that a caller reads all of it at once.</summary>
internal sealed class FieldCheck
{
    private readonly Dictionary<string, string[]> faults = [];

    public IResult? Problem => faults.Count == 0 ? null : Results.ValidationProblem(faults);

    public void That(bool good, string field, string fault)
    {
        if (!good)
        {
            faults.TryAdd(field, [fault]);
        }
    }

    /// <summary>A name as the API writes it, in any case; null when it is left out or is none.</summary>
    public T? OneOf<T>(string? value, string field)
        where T : struct, Enum
    {
        if (value is not null && Enum.GetNames<T>().FirstOrDefault(n => n.Equals(value, StringComparison.OrdinalIgnoreCase)) is { } known)
        {
            return Enum.Parse<T>(known);
        }

        That(value is null, field, "one of: " + string.Join(", ", Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName)));
        return null;
    }

    /// <summary>Trimmed text of 1 to <paramref name="max"/> characters without control characters.</summary>
    public string Text(string? value, string field, int max)
    {
        var text = value?.Trim() ?? "";
        That(text.Length >= 1 && text.Length <= max && !text.Any(char.IsControl), field, $"1 to {max} characters are needed");
        return text;
    }
}

/// <summary>Turns exceptions that are answers into problem details; all others are faults of ours, logged, without their text.</summary>
internal sealed partial class ProblemHandler(IProblemDetailsService problems, ILogger<ProblemHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && http.RequestAborted.IsCancellationRequested)
        {
            return true;
        }

        var problem = Of(exception);
        if (problem.Status >= StatusCodes.Status500InternalServerError)
        {
            LogFailed(exception, http.Request.Method, http.Request.Path);
        }

        http.Response.StatusCode = problem.Status!.Value;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = http, ProblemDetails = problem });
    }

    private static Microsoft.AspNetCore.Mvc.ProblemDetails Of(Exception exception)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } bad:
                var (field, fault) = Fault(bad);
                return new HttpValidationProblemDetails(new Dictionary<string, string[]> { [field] = [fault] }) { Status = bad.StatusCode };
            case BadHttpRequestException bad:
                return new() { Status = bad.StatusCode, Detail = bad.Message };
            case DbUpdateConcurrencyException:
                return new() { Status = StatusCodes.Status409Conflict, Detail = "it was changed by somebody else at the same time; read it and try again" };
            case IOException or TimeoutException or System.Data.Common.DbException or DbUpdateException:
                return new() { Status = StatusCodes.Status503ServiceUnavailable, Detail = "the hub cannot read or write its data now; try again" };
            default:
                return new() { Status = StatusCodes.Status500InternalServerError, Detail = "a fault of the hub; its log has more" };
        }
    }

    /// <summary>The framework names a parameter and a field in its sentences only.</summary>
    private static (string Field, string Fault) Fault(BadHttpRequestException bad)
    {
        if (bad.InnerException is JsonException json)
        {
            return UnknownField().Match(json.Message) is { Success: true } unknown
                ? (unknown.Groups[1].Value, "there is no such field")
                : (json.Path?.TrimStart('$', '.') is { Length: > 0 } path ? path : "body", "cannot be read: wrong type or not JSON");
        }

        return Parameter().Match(bad.Message) is { Success: true } parameter
            ? (JsonNamingPolicy.CamelCase.ConvertName(parameter.Groups[1].Value), "cannot be read: wrong type or value")
            : ("body", bad.Message.StartsWith("Implicit body", StringComparison.Ordinal) ? "a JSON body is needed" : bad.Message);
    }

    [GeneratedRegex("property '([^']{1,64})' could not be mapped")]
    private static partial Regex UnknownField();

    [GeneratedRegex("Failed to bind parameter \"\\S+ (\\w+)\"")]
    private static partial Regex Parameter();

    [LoggerMessage(EventName = "RequestFailed", Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFailed(Exception e, string method, string path);
}
