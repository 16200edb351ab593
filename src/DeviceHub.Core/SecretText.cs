namespace DeviceHub.Core;

/// <summary>An API key, a password or a private key in PEM that does not print itself (I9).</summary>
public sealed class SecretText(string value)
{
    /// <summary>The text itself. Call this only where it is used, never to keep or print it.</summary>
    public string Reveal() => value;

    public override string ToString() => "***";
}
