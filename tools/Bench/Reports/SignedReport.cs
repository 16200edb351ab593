using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>
/// The file <c>{"report":...,"signature":{...}}</c>. The signature covers the exact bytes of the report's value; the rest has one form only, so
/// that no byte of the file can be changed unseen.
/// </summary>
internal static class SignedReport
{
    private const long MaxBytes = 64 * 1024 * 1024;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        IndentSize = 1,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private sealed record Signature(string? Algorithm, string? Key, string? Value);

    public static byte[] Write(BenchReport report, ECDsa key)
    {
        var text = JsonSerializer.Serialize(report, Json);
        var value = key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256);
        return Whole(text, new Signature(SigningKey.Algorithm, Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), Convert.ToBase64String(value)));
    }

    /// <summary>Reads a file and its signature's key. Throws <see cref="BadInputException"/> for what is no report, null for a signature that does not hold.</summary>
    public static (BenchReport Report, byte[] PublicKey)? Read(string path)
    {
        var bytes = ReadFile(path);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var text = document.RootElement.GetProperty("report").GetRawText();
            var signature = document.RootElement.GetProperty("signature").Deserialize<Signature>(Json);
            var publicKey = Convert.FromBase64String(signature?.Key ?? "");
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(publicKey, out _);
            if (signature!.Algorithm != SigningKey.Algorithm
                || !key.VerifyData(Encoding.UTF8.GetBytes(text), Convert.FromBase64String(signature.Value ?? ""), HashAlgorithmName.SHA256)
                || !bytes.AsSpan().SequenceEqual(Whole(text, signature)))
            {
                return null;
            }

            var report = JsonSerializer.Deserialize<BenchReport>(text, Json) ?? throw new JsonException();
            return report.Schema == BenchReport.PresentSchema
                ? (report, publicKey)
                : throw new BadInputException($"{path}: a report of schema {report.Schema}; this version reads {BenchReport.PresentSchema}");
        }
        catch (Exception e) when (e is FormatException or CryptographicException or PlatformNotSupportedException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new BadInputException($"{path}: not a report of this tool");
        }
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: > MaxBytes }
                ? throw new BadInputException($"{path}: larger than {MaxBytes} bytes")
                : File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}");
        }
    }

    private static byte[] Whole(string report, Signature signature) =>
        Encoding.UTF8.GetBytes($"{{\"report\":{report},\n\"signature\":{JsonSerializer.Serialize(signature, Json)}}}\n");
}
