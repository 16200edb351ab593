namespace DeviceHub.Tools.Bench;

/// <summary>What the program ends with; README.md, "Exit codes".</summary>
internal static class ExitCode
{
    /// <summary>Everything passed.</summary>
    public const int Passed = 0;

    /// <summary>A step or case failed, a signature does not hold, or an emulated terminal met an error.</summary>
    public const int Failed = 1;

    /// <summary>The command line, a plan or another file that was given is wrong; nothing was tested.</summary>
    public const int BadInput = 2;

    /// <summary>The port cannot be opened, or was unplugged; or the hub cannot be reached.</summary>
    public const int NoPort = 3;

    /// <summary>Stopped by the operator before the end.</summary>
    public const int Stopped = 4;
}

/// <summary>Something that was given is wrong; its text is for people.</summary>
internal sealed class BadInputException(string message) : Exception(message);

/// <summary>A port that cannot be used; its text is for people.</summary>
internal sealed class PortException(Phrase phrase) : Exception(phrase.ToString())
{
    public Phrase Phrase => phrase;
}
