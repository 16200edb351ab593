using System.Buffers.Binary;
using System.Security.Cryptography;

namespace DeviceHub.Tools.ChannelSandbox.Bank;

/// <summary>What is kept of a payment code: enough to know it again, not to pay with it.</summary>
internal static class CodeDigest
{
    public static UInt128 Of(ReadOnlySpan<byte> code)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(code, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
