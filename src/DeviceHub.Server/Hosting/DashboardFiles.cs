using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace DeviceHub.Server.Hosting;

/// <summary>
/// Serves the dashboard's scripts and styles, which are resources of this assembly (see its project file). They hold no secrets and are open to
/// everybody: the sign-in page needs them. Each is compressed once, when it is first asked for; browsers ask every time and are mostly told 304.
/// </summary>
internal static class DashboardFiles
{
    private const string Prefix = "assets/";

    public static void MapDashboardFiles(this IEndpointRouteBuilder routes)
    {
        var assembly = typeof(DashboardFiles).Assembly;
        var types = new FileExtensionContentTypeProvider();
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var type = types.TryGetContentType(name, out var known) ? known : "application/octet-stream";
            var content = new Lazy<Content>(() => Read(assembly, name));
            routes.MapGet("/" + name[Prefix.Length..], (HttpContext http) => Serve(http, content.Value, type)).AllowAnonymous().ExcludeFromDescription();
        }
    }

    private static IResult Serve(HttpContext http, Content content, string type)
    {
        var headers = http.Response.Headers;
        headers.CacheControl = "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        var compressed = http.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal);
        if (compressed)
        {
            headers.ContentEncoding = "br";
        }

        return Results.Bytes(compressed ? content.Compressed : content.Plain, type, entityTag: new EntityTagHeaderValue(content.Tag));
    }

    private static Content Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var plain = new byte[stream.Length];
        stream.ReadExactly(plain);
        using var compressed = new MemoryStream();
        using (var brotli = new BrotliStream(compressed, CompressionLevel.Optimal))
        {
            brotli.Write(plain);
        }

        return new Content(plain, compressed.ToArray(), $"\"{Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 12))}\"");
    }

    private sealed record Content(byte[] Plain, byte[] Compressed, string Tag);
}
