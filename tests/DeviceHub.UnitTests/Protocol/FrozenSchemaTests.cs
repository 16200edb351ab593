using System.Globalization;
using System.Text;
using DeviceHub.Protocol.Wire;
using Google.Protobuf.Reflection;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>Firmware in the field cannot be recalled: every name, number and type that it knows is written down here.</summary>
public sealed class FrozenSchemaTests
{
    private const string File = "terminal.golden.txt";

    /// <summary>
    /// An addition is fine: run with DEVICEHUB_WRITE_VECTORS=1 and read the diff, which must have added lines only. A changed or removed line is a
    /// number that firmware in the field uses otherwise.
    /// </summary>
    [Fact]
    public void Names_numbers_types_and_reserved_ranges_are_those_that_firmware_knows()
    {
        var schema = Describe(TerminalReflection.Descriptor);
        if (Environment.GetEnvironmentVariable("DEVICEHUB_WRITE_VECTORS") == "1")
        {
            System.IO.File.WriteAllText(Path.Combine(Vectors.Folder, "..", "tests", "DeviceHub.UnitTests", "Protocol", File), schema);
        }

        Assert.Equal(System.IO.File.ReadAllText(Path.Combine(Vectors.Folder, "..", "tests", "DeviceHub.UnitTests", "Protocol", File)), schema);
    }

    [Fact]
    public void Zero_of_every_enum_is_unspecified_and_numbers_for_what_comes_later_are_reserved()
    {
        var enums = Messages(TerminalReflection.Descriptor.MessageTypes).SelectMany(m => m.EnumTypes).Concat(TerminalReflection.Descriptor.EnumTypes);
        Assert.All(enums, e => Assert.EndsWith("_UNSPECIFIED", e.FindValueByNumber(0).Name, StringComparison.Ordinal));
        Assert.Contains(Uplink.Descriptor.ToProto().ReservedRange, r => r is { Start: 13, End: 41 });
        Assert.Contains(Downlink.Descriptor.ToProto().ReservedRange, r => r is { Start: 14, End: 41 });
    }

    private static string Describe(FileDescriptor file)
    {
        var text = new StringBuilder().Append("package ").Append(file.Package).Append('\n');
        foreach (var message in Messages(file.MessageTypes))
        {
            text.Append("message ").Append(message.FullName).Append('\n');
            foreach (var field in message.Fields.InFieldNumberOrder())
            {
                var type = field.FieldType switch
                {
                    FieldType.Message => field.MessageType.FullName,
                    FieldType.Enum => field.EnumType.FullName,
                    _ => field.FieldType.ToString().ToLowerInvariant(),
                };
                text.Append(CultureInfo.InvariantCulture, $"  {field.FieldNumber} {field.Name} {(field.IsRepeated ? "repeated " : "")}{type}")
                    .Append(field.RealContainingOneof is { } choice ? $" oneof {choice.Name}\n" : "\n");
            }

            foreach (var range in message.ToProto().ReservedRange)
            {
                text.Append(CultureInfo.InvariantCulture, $"  reserved {range.Start} to {range.End - 1}\n");
            }
        }

        foreach (var type in file.EnumTypes.Concat(Messages(file.MessageTypes).SelectMany(m => m.EnumTypes)))
        {
            text.Append("enum ").Append(type.FullName).Append('\n');
            foreach (var value in type.Values)
            {
                text.Append(CultureInfo.InvariantCulture, $"  {value.Number} {value.Name}\n");
            }
        }

        return text.ToString();
    }

    private static IEnumerable<MessageDescriptor> Messages(IEnumerable<MessageDescriptor> types) =>
        types.SelectMany(t => Messages(t.NestedTypes).Prepend(t));
}
