namespace DeviceHub.Core;

/// <summary>Key material that does not print itself (I9). It is never equal by reference to a log argument's text.</summary>
[GenerateSerializer, Immutable, Alias("dh.SecretBytes")]
public sealed class SecretBytes(byte[] value)
{
    [Id(0)]
    private readonly byte[] value = value;

    /// <summary>The bytes themselves. Call this only where they are used, never to keep or print them.</summary>
    public ReadOnlyMemory<byte> Reveal() => value;

    public override string ToString() => "***";
}
