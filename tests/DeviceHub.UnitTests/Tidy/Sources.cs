using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace DeviceHub.UnitTests.Tidy;

/// <summary>The repository's own C# files, generated ones left out.</summary>
internal static class Sources
{
    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<SourceFile> All { get; } =
    [
        .. new[] { "src", "tests", "tools" }
            .Select(folder => Path.Combine(Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj" or "artifacts" or "Migrations" or "node_modules"))
            .Order(StringComparer.Ordinal)
            .Select(path => new SourceFile(path, File.ReadAllText(Path.Combine(Root, path)))),
    ];

    private static string FindRoot([CallerFilePath] string here = "")
    {
        var folder = new DirectoryInfo(File.Exists(here) ? Path.GetDirectoryName(here)! : AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DeviceHub.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("DeviceHub.sln is in no folder above the tests");
    }
}

internal sealed class SourceFile(string path, string text)
{
    private readonly Lazy<CompilationUnitSyntax> tree = new(() => CSharpSyntaxTree.ParseText(text).GetCompilationUnitRoot());

    public string Path => path;

    public int Lines => text.AsSpan().Count('\n');

    public CompilationUnitSyntax Tree => tree.Value;

    public string At(Microsoft.CodeAnalysis.SyntaxNode node) => $"{path}:{node.GetLocation().GetLineSpan().StartLinePosition.Line + 1}";

    public override string ToString() => path;
}
