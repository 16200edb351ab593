using Google.Protobuf;

namespace DeviceHub.Protocol.Wire;

// ToString() of these, and of whatever holds one of them, shows no more than people may see.

public sealed partial class Uplink : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class Downlink : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class Hello : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class Challenge : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class Proof : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class Activate : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class Offer : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class Welcome : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class PaymentRequest : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}

public sealed partial class Sealed : ICustomDiagnosticMessage
{
    public string ToDiagnosticString() => ShownMessage.Write(this);
}
