using System.Text;

namespace DeviceHub.Gateways.Serial;

/// <summary>Why what a scanner printed is no code.</summary>
internal enum ScanFault { None, TooLong, ControlCharacter, Prefix }

/// <summary>Makes codes of the characters that a scanner prints. No clock: the time is passed in.</summary>
/// <param name="prefix">What it prints before each code; empty: nothing.</param>
/// <param name="suffix">What it prints after each code, besides CR and LF; empty: nothing.</param>
/// <param name="symbologyIdentifiers">An AIM identifier before the code is taken off.</param>
internal sealed class ScanReader(string prefix, string suffix, bool symbologyIdentifiers)
{
    /// <summary>No payment code is longer than 64; what is longer with prefix and suffix is noise.</summary>
    private const int MaxCharacters = 128;

    /// <summary>A scanner prints a code at once: what comes after a pause is another.</summary>
    private const int PauseMs = 500;

    private readonly StringBuilder text = new(MaxCharacters);
    private bool tooLong;
    private long lastMs;

    /// <summary>True: a code, or what is wrong with one, has ended with this character.</summary>
    public bool TryTake(char character, long nowMs, out string code, out ScanFault fault)
    {
        code = "";
        fault = ScanFault.None;
        if (nowMs - lastMs > PauseMs)
        {
            Forget();
        }

        lastMs = nowMs;
        if (character is '\r' or '\n')
        {
            return End(out code, out fault);
        }

        tooLong |= text.Length == MaxCharacters;
        if (!tooLong)
        {
            text.Append(character);
        }

        return suffix.Length > 0 && text.Length >= suffix.Length && text.ToString(text.Length - suffix.Length, suffix.Length) == suffix && End(out code, out fault);
    }

    /// <summary>Forgets the part of a code that has come.</summary>
    public void Forget()
    {
        text.Clear();
        tooLong = false;
    }

    private bool End(out string code, out ScanFault fault)
    {
        var read = text.ToString();
        var wasTooLong = tooLong;
        Forget();
        code = "";
        fault = ScanFault.None;
        if (read.Length == 0 && !wasTooLong)
        {
            return false;
        }

        if (suffix.Length > 0 && read.EndsWith(suffix, StringComparison.Ordinal))
        {
            read = read[..^suffix.Length];
        }

        if (wasTooLong)
        {
            fault = ScanFault.TooLong;
        }
        else if (!read.StartsWith(prefix, StringComparison.Ordinal))
        {
            fault = ScanFault.Prefix;
        }
        else
        {
            code = Bare(read[prefix.Length..]);
            fault = code.Any(char.IsControl) ? ScanFault.ControlCharacter : ScanFault.None;
        }

        return fault != ScanFault.None || code.Length > 0;
    }

    private string Bare(string code) =>
        symbologyIdentifiers && code.Length > 3 && code[0] == ']' && char.IsAsciiLetter(code[1]) && char.IsAsciiLetterOrDigit(code[2]) ? code[3..] : code;
}
