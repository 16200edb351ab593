using System.Security.Cryptography;

namespace DeviceHub.Core.Terminals;

/// <summary>Activation codes: 16 characters of Crockford's base32, 80 random bits, printed XXXX-XXXX-XXXX-XXXX.</summary>
public static class ActivationCodes
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Length = 16;

    /// <summary>A new code as it is printed.</summary>
    public static ActivationCode Create()
    {
        var characters = RandomNumberGenerator.GetString(Alphabet, Length);
        return new ActivationCode($"{characters[..4]}-{characters[4..8]}-{characters[8..12]}-{characters[12..]}");
    }

    /// <summary>
    /// What the fingerprint is taken of: upper case, without '-' and spaces, and what people misread set right (O is 0; I and L
    /// are 1). Null: no code at all.
    /// </summary>
    public static string? Normalise(ActivationCode code)
    {
        Span<char> normal = stackalloc char[Length];
        var length = 0;
        foreach (var typed in code.Reveal())
        {
            if (typed is '-' or ' ')
            {
                continue;
            }

            var c = char.ToUpperInvariant(typed) switch { 'O' => '0', 'I' or 'L' => '1', var other => other };
            if (length == Length || !Alphabet.Contains(c, StringComparison.Ordinal))
            {
                return null;
            }

            normal[length++] = c;
        }

        return length == Length ? new string(normal) : null;
    }
}
