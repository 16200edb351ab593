using DeviceHub.Server.ApiKeys;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace DeviceHub.Server.Api;

/// <summary>What the OpenAPI document says beside what the endpoints say themselves.</summary>
internal static class Document
{
    public static void Describe(OpenApiOptions options)
    {
        options.ShouldInclude = description => description.RelativePath?.StartsWith("api/", StringComparison.Ordinal) == true;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "DeviceHub";
            document.Info.Version = "1";
            document.Info.Description =
                "Programs send an API key as `Authorization: Bearer dhk_...`. A \"no\" is a problem of RFC 9457; with status 400 `errors` names the fields.";
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [ApiKey.Scheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key" },
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            if (!metadata.OfType<IAllowAnonymous>().Any())
            {
                operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKey.Scheme, context.Document)] = [] }];
                operation.Responses ??= [];
                operation.Responses.TryAdd("401", new OpenApiResponse { Description = "No credentials, or wrong ones" });
                operation.Responses.TryAdd("403", new OpenApiResponse { Description = "The key may not do this" });
            }

            return Task.CompletedTask;
        });
    }
}
