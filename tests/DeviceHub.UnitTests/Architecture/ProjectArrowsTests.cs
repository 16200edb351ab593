using System.Xml.Linq;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace DeviceHub.UnitTests.Architecture;

/// <summary>Who may know whom; the picture of it is in src/README.md.</summary>
public sealed class ProjectArrowsTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Protocol"] = [],
        ["Core"] = [],
        ["Channels"] = ["Core"],
        ["Gateways"] = ["Protocol", "Core"],
        ["Storage"] = ["Core"],
        ["Dashboard"] = ["Core"],
        ["Server"] = ["Protocol", "Core", "Channels", "Gateways", "Storage", "Dashboard"],
    };

    private static readonly string[] KeptOutOfCore =
        ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore", "Microsoft.Data.Sqlite", "MQTTnet", "Google.Protobuf", "Npgsql"];

    private static readonly ArchUnitNET.Domain.Architecture Hub =
        new ArchLoader().LoadAssemblies([.. Arrows.Keys.Select(Load)]).Build();

    public static TheoryData<string, string> Forbidden =>
        [.. from one in Arrows from other in Arrows.Keys where other != one.Key && !one.Value.Contains(other) select (one.Key, other)];

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void Project_does_not_know_another_when_no_arrow_leads_there(string project, string other)
    {
        IObjectProvider<IType> from = Types().That().ResideInAssembly(Load(project)).As(project);
        IObjectProvider<IType> to = Types().That().ResideInAssembly(Load(other)).As(other);

        var rule = Types().That().Are(from).Should().NotDependOnAny(to).WithoutRequiringPositiveResults();
        Assert.True(rule.HasNoViolations(Hub), string.Join('\n', rule.Evaluate(Hub).Where(r => !r.Passed).Select(r => r.Description)));
    }

    [Fact]
    public void Project_files_refer_only_along_the_arrows()
    {
        foreach (var (project, arrows) in Arrows)
        {
            var file = Path.Combine(Tidy.Sources.Root, $"src/DeviceHub.{project}/DeviceHub.{project}.csproj");
            var references = XDocument.Load(file).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/'))["DeviceHub.".Length..]);
            Assert.True(!references.Except(arrows).Any(), $"{file} refers to {string.Join(", ", references.Except(arrows))}");
        }
    }

    [Fact]
    public void Core_knows_neither_wire_nor_database_nor_web()
    {
        var references = Load("Core").GetReferencedAssemblies().Select(a => a.Name!);
        Assert.DoesNotContain(references, name => KeptOutOfCore.Any(kept => name.StartsWith(kept, StringComparison.Ordinal)));
    }

    private static System.Reflection.Assembly Load(string project) => System.Reflection.Assembly.Load($"DeviceHub.{project}");
}
