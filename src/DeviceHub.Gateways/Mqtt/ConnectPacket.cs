using System.Text;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>What a CONNECT asks for, after everything in it has been checked.</summary>
internal sealed record ConnectPacket
{
    public required bool V5 { get; init; }
    public required string ClientId { get; init; }
    public required ushort KeepAliveSeconds { get; init; }
    public required bool HasWill { get; init; }
    public required int WillQos { get; init; }
    public required bool WillRetain { get; init; }
    public string? UserName { get; init; }
    public string? Password { get; init; }
    public required Properties Properties { get; init; }

    /// <summary>Without the password.</summary>
    public override string ToString() => $"CONNECT of {ClientId}";

    /// <summary>
    /// Null, with the reason code to answer (in 5.0's numbers): 0x81 malformed, 0x82 against the protocol, 0x84 another version. Of a
    /// packet that does not even name a version we know, <paramref name="version"/> is 0 or the unknown number.
    /// </summary>
    public static ConnectPacket? Read(ReadOnlySpan<byte> body, out byte version, out byte error)
    {
        var reader = new BodyReader(body);
        error = 0x81;
        version = 0;
        var name = reader.Text();
        if (reader.Failed || !name.SequenceEqual("MQTT"u8))
        {
            error = name.SequenceEqual("MQIsdp"u8) ? (byte)0x84 : (byte)0x81;
            return null;
        }

        version = reader.Byte();
        if (version is not (4 or 5))
        {
            error = reader.Failed ? (byte)0x81 : (byte)0x84;
            return null;
        }

        var v5 = version == 5;
        var flags = reader.Byte();
        var keepAlive = reader.UInt16();
        if (reader.Failed || !FlagsAreLegal(flags, v5))
        {
            return null;
        }

        var properties = new Properties();
        if (v5 && Properties.Read(ref reader, Properties.OfConnect, out properties) is { } wrong)
        {
            error = wrong;
            return null;
        }

        if (properties.HasAuthenticationData && !properties.HasAuthenticationMethod)
        {
            error = 0x82;
            return null;
        }

        var clientId = reader.Text();
        var hasWill = (flags & 0x04) != 0;
        if (hasWill && !ReadWill(ref reader, v5, ref error))
        {
            return null;
        }

        // Modems send the flags with empty texts when they were given none.
        var userName = (flags & 0x80) != 0 ? Encoding.UTF8.GetString(reader.Text()) : "";
        var password = (flags & 0x40) != 0 ? Encoding.UTF8.GetString(reader.Binary()) : "";
        if (reader.Failed || !reader.AtEnd)
        {
            return null;
        }

        error = 0;
        return new ConnectPacket
        {
            V5 = v5,
            ClientId = Encoding.UTF8.GetString(clientId),
            KeepAliveSeconds = keepAlive,
            HasWill = hasWill,
            WillQos = flags >> 3 & 3,
            WillRetain = (flags & 0x20) != 0,
            UserName = userName.Length > 0 ? userName : null,
            Password = password.Length > 0 ? password : null,
            Properties = properties,
        };
    }

    /// <summary>[MQTT-3.1.2-3], -11 to -15, and 3.1.1's -22: a password needs a user name there.</summary>
    private static bool FlagsAreLegal(byte flags, bool v5)
    {
        var will = (flags & 0x04) != 0;
        var willQos = flags >> 3 & 3;
        var willRetain = (flags & 0x20) != 0;
        return (flags & 0x01) == 0 && willQos != 3 && (will || (willQos == 0 && !willRetain)) && (v5 || (flags & 0xC0) != 0x40);
    }

    private static bool ReadWill(ref BodyReader reader, bool v5, ref byte error)
    {
        if (v5 && Properties.Read(ref reader, Properties.OfWill, out _) is { } wrong)
        {
            error = wrong;
            return false;
        }

        var topic = reader.Text();
        reader.Binary();
        return !reader.Failed && topic.Length > 0 && topic.IndexOfAny((byte)'#', (byte)'+') < 0;
    }
}
