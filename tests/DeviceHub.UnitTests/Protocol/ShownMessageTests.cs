using System.Text;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>What people see of a message: nothing that pays, logs in or opens a seal (I9).</summary>
public sealed class ShownMessageTests
{
    /// <summary>Judged as nobody's to see. All others must be among those that are shown: a new field fails here until somebody has judged it.</summary>
    private static readonly string[] Masked =
    [
        "Hello.terminal_nonce", "Challenge.hub_nonce", "Proof.mac", "Activate.activation_code", "Offer.terminal_key", "Welcome.hub_nonce", "PaymentRequest.payment_code",
        "Sealed.body", "Sealed.mac",
    ];

    public static TheoryData<string> Messages() =>
        [.. GoldenMessages.Up().Select(m => m.Name), .. GoldenMessages.Down().Select(m => m.Name)];

    [Fact]
    public void Every_field_of_the_protocol_has_been_judged()
    {
        var hidden = Types(TerminalReflection.Descriptor.MessageTypes).SelectMany(t => t.Fields.InDeclarationOrder())
            .Where(f => !ShownMessage.Shows(f)).Select(f => f.FullName["devicehub.terminal.v1.".Length..]);

        Assert.Equal(Masked.Order(), hidden.Order());
    }

    [Fact]
    public void Type_with_a_masked_field_prints_itself_masked()
    {
        var types = Types(TerminalReflection.Descriptor.MessageTypes).Where(t => t.Fields.InDeclarationOrder().Any(f => !ShownMessage.Shows(f)));

        Assert.All(types, t => Assert.Contains(typeof(ICustomDiagnosticMessage), t.ClrType.GetInterfaces()));
        Assert.DoesNotContain("1345678901", new PaymentRequest { PaymentCode = "134567890123456789" }.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("1345678901", new Uplink { PaymentRequest = new() { PaymentCode = "134567890123456789" } }.ToString(), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Messages))]
    public void No_masked_value_is_in_what_is_shown_and_every_other_is(string name)
    {
        var message = GoldenMessages.Up().Select(m => (m.Name, Message: (IMessage)m.Message)).Concat(GoldenMessages.Down().Select(m => (m.Name, Message: (IMessage)m.Message)))
            .First(m => m.Name == name).Message;
        var (kind, body) = ShownMessage.BodyOf(message);
        var shown = ShownMessage.Write(body);

        foreach (var field in body.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(body);
            Assert.StartsWith(kind.Split('_')[0], name.Replace("sealed_", "sealed", StringComparison.Ordinal), StringComparison.Ordinal);
            if (value is ByteString { Length: > 0 } bytes && !ShownMessage.Shows(field))
            {
                Assert.Contains($"\"{field.Name}\":\"**** {bytes.Length} bytes\"", shown, StringComparison.Ordinal);
                Assert.DoesNotContain(Convert.ToHexStringLower(bytes.Span[..4]), shown, StringComparison.Ordinal);
                Assert.DoesNotContain(Convert.ToBase64String(bytes.Span)[..8], shown, StringComparison.Ordinal);
            }
            else if (value is string { Length: > 0 } text)
            {
                Assert.Equal(ShownMessage.Shows(field), shown.Contains(text, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void Values_are_written_for_people()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var refusal = new Refusal { Code = Refusal.Types.Code.Busy, RetryAfterMs = 1000, Text = new() { Id = "refusal_busy", Text_ = ByteString.CopyFrom(Encoding.GetEncoding(936).GetBytes("请稍后再试")) } };
        var beat = new Heartbeat { SignalDbm = -71, Power = (PowerSource)9, Reconnects = { new ReconnectCause { Cause = ReconnectCause.Types.Cause.Dns, Count = 2 } } };

        Assert.Equal("""{"code":"CODE_BUSY","text":{"id":"refusal_busy","text":"请稍后再试"},"retry_after_ms":1000}""", ShownMessage.Write(refusal));
        Assert.Equal("""{"signal_dbm":-71,"power":"9","reconnects":[{"cause":"CAUSE_DNS","count":2}]}""", ShownMessage.Write(beat));
        Assert.Equal("""{"payment_code":"****6789"}""", ShownMessage.Write(new PaymentRequest { PaymentCode = "134567890123456789" }));
        Assert.Equal("""{"payment_code":"****"}""", ShownMessage.Write(new PaymentRequest { PaymentCode = "1234567" }));
        Assert.Equal("""{"version":1,"entries":[{"key":"sound.on","flag":false}]}""", ShownMessage.Write(new ConfigurationChunk { Version = 1, Entries = { new ConfigurationEntry { Key = "sound.on", Flag = false } } }));
    }

    [Fact]
    public void Large_message_is_cut()
    {
        var chunk = new ConfigurationChunk { Version = 1 };
        chunk.Entries.AddRange(Enumerable.Range(0, 100).Select(i => new ConfigurationEntry { Key = $"key{i}", Text = new string('x', 100) }));

        Assert.Equal(ShownMessage.MaxLength, ShownMessage.Write(chunk).Length);
    }

    private static IEnumerable<MessageDescriptor> Types(IEnumerable<MessageDescriptor> from) => from.SelectMany(t => Types(t.NestedTypes).Prepend(t));
}
