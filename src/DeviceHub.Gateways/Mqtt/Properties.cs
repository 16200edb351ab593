namespace DeviceHub.Gateways.Mqtt;

/// <summary>The properties of a 5.0 packet that the endpoint acts on; all others are checked and passed over.</summary>
internal struct Properties()
{
    public const ulong OfConnect = 1UL << 0x11 | 1UL << 0x15 | 1UL << 0x16 | 1UL << 0x17 | 1UL << 0x19 | 1UL << 0x21 | 1UL << 0x22 | 1UL << 0x26 | 1UL << 0x27;
    public const ulong OfWill = 1UL << 0x01 | 1UL << 0x02 | 1UL << 0x03 | 1UL << 0x08 | 1UL << 0x09 | 1UL << 0x18 | 1UL << 0x26;
    public const ulong OfPublish = 1UL << 0x01 | 1UL << 0x02 | 1UL << 0x03 | 1UL << 0x08 | 1UL << 0x09 | 1UL << 0x0B | 1UL << 0x23 | 1UL << 0x26;
    public const ulong OfPubAck = 1UL << 0x1F | 1UL << 0x26;
    public const ulong OfSubscribe = 1UL << 0x0B | 1UL << 0x26;
    public const ulong OfUnsubscribe = 1UL << 0x26;
    public const ulong OfDisconnect = 1UL << 0x11 | 1UL << 0x1F | 1UL << 0x26;

    private const int UserProperty = 0x26;
    private ulong _seen;

    public uint SessionExpiry { get; private set; }
    public ushort ReceiveMaximum { get; private set; } = ushort.MaxValue;
    public uint MaximumPacketSize { get; private set; } = uint.MaxValue;

    public readonly bool HasTopicAlias => Has(0x23);
    public readonly bool HasSubscriptionIdentifier => Has(0x0B);
    public readonly bool HasAuthenticationMethod => Has(0x15);
    public readonly bool HasAuthenticationData => Has(0x16);

    private readonly bool Has(int id) => (_seen & 1UL << id) != 0;

    /// <summary>Null: well. Else the reason code: 0x81 for what cannot be read, 0x82 for what must not be there.</summary>
    public static byte? Read(ref BodyReader reader, ulong allowed, out Properties properties)
    {
        properties = new Properties();
        var section = new BodyReader(reader.Take(reader.VariableByteInteger()));
        while (!reader.Failed && !section.AtEnd)
        {
            var id = section.VariableByteInteger();
            if (section.Failed || id > 0x2A || (allowed & 1UL << id) == 0)
            {
                return 0x81;
            }

            if (id != UserProperty && properties.Has(id))
            {
                return 0x82;
            }

            properties._seen |= 1UL << id;
            if (!properties.ReadValue(ref section, id))
            {
                return section.Failed ? (byte)0x81 : (byte)0x82;
            }
        }

        return reader.Failed ? 0x81 : null;
    }

    private bool ReadValue(ref BodyReader section, int id)
    {
        var legal = true;
        switch (id)
        {
            case 0x01 or 0x17 or 0x19:
                legal = section.Byte() <= 1;
                break;
            case 0x02 or 0x18:
                section.UInt32();
                break;
            case 0x11:
                SessionExpiry = section.UInt32();
                break;
            case 0x27:
                MaximumPacketSize = section.UInt32();
                legal = MaximumPacketSize != 0;
                break;
            case 0x21:
                ReceiveMaximum = section.UInt16();
                legal = ReceiveMaximum != 0;
                break;
            case 0x22 or 0x23:
                section.UInt16();
                break;
            case 0x0B:
                legal = section.VariableByteInteger() != 0;
                break;
            case 0x08:
                legal = section.Text().IndexOfAny((byte)'#', (byte)'+') < 0;
                break;
            case 0x09 or 0x16:
                section.Binary();
                break;
            case UserProperty:
                section.Text();
                section.Text();
                break;
            default:
                section.Text();
                break;
        }

        return legal && !section.Failed;
    }
}
