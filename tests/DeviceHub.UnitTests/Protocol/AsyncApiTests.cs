using DeviceHub.Protocol.Wire;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>The official parser's judgement is asked for by DeviceHub.IntegrationTests.</summary>
public sealed class AsyncApiTests
{
    private static readonly string Folder = Vectors.Folder;

    private static readonly string File = Path.Combine(Folder, "asyncapi.yaml");

    [Fact]
    public void Document_says_what_the_proto_says()
    {
        var document = AsyncApi.Document(System.IO.File.ReadAllText(Path.Combine(Folder, "terminal.proto")));
        if (Environment.GetEnvironmentVariable("DEVICEHUB_WRITE_VECTORS") == "1")
        {
            System.IO.File.WriteAllText(File, document);
        }

        Assert.Equal(System.IO.File.ReadAllText(File), document);
    }

    [Fact]
    public void Document_has_each_message_of_both_directions()
    {
        var document = System.IO.File.ReadAllText(File);
        Assert.All(Uplink.Descriptor.Fields.InFieldNumberOrder(), b => Assert.Contains($"#/components/messages/up_{b.Name}\"", document, StringComparison.Ordinal));
        Assert.All(Downlink.Descriptor.Fields.InFieldNumberOrder(), b => Assert.Contains($"#/components/messages/down_{b.Name}\"", document, StringComparison.Ordinal));
        Assert.Contains("16 random bytes, new for every session", document, StringComparison.Ordinal);
    }
}
