using System.CommandLine;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary><c>verify</c>: whether a report is as the bench wrote it, and whose bench that was.</summary>
internal static class VerifyCommand
{
    public static Command Build()
    {
        var file = new Argument<string>("FILE") { Description = "A signed report (.json)." };
        var key = new Option<string?>("--key") { HelpName = "FILE", Description = "The bench's public key (PEM). Default: this bench's own." };
        var show = new Option<bool>("--public-key") { Description = "Prints this bench's public key instead, for those who verify its reports elsewhere." };
        file.Arity = ArgumentArity.ZeroOrOne;
        var command = new Command("verify", "Checks the signature of a report: any changed byte is found.") { file, key, show };
        command.SetAction((values, _) => BenchCommand.Guard(() => Task.FromResult(
            values.GetValue(show) ? ShowKey()
            : Verify(values.GetValue(file) ?? throw new BadInputException("verify: which file?"), values.GetValue(key)))));
        return command;
    }

    private static int ShowKey()
    {
        using var own = SigningKey.LoadOrMake(BenchHome.Default);
        Console.WriteLine(own.ExportSubjectPublicKeyInfoPem());
        return ExitCode.Passed;
    }

    private static int Verify(string path, string? keyPath)
    {
        if (SignedReport.Read(path) is not var (report, publicKey))
        {
            Console.WriteLine($"{path}: CHANGED, or signed by nobody: the signature does not hold");
            return ExitCode.Failed;
        }

        if (!publicKey.AsSpan().SequenceEqual(Trusted(keyPath)))
        {
            Console.WriteLine($"{path}: unchanged since the key {SigningKey.Fingerprint(publicKey)} signed it, but that is not "
                + (keyPath is null ? "this bench's key; give its bench's with --key" : $"the key of {keyPath}"));
            return ExitCode.Failed;
        }

        Console.WriteLine($"{path}: good, signed by {SigningKey.Fingerprint(publicKey)}");
        Console.WriteLine($"{report.Verdict.ToString().ToUpperInvariant()}: {report.Kind} {report.Plan} of {report.Unit?.SerialNumber ?? "no unit"}, {report.Began:yyyy-MM-dd HH:mm:ss zzz}");
        return ExitCode.Passed;
    }

    private static byte[] Trusted(string? keyPath)
    {
        try
        {
            using var key = keyPath is null ? SigningKey.LoadIfThere(BenchHome.Default) : SigningKey.FromPem(File.ReadAllText(keyPath), keyPath);
            return key?.ExportSubjectPublicKeyInfo() ?? [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{keyPath}: {e.Message}");
        }
    }
}
