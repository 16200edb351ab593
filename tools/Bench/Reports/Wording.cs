using System.Globalization;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>Measured values in words.</summary>
internal static class Wording
{
    public static string Of(Measurement measured, Texts texts) => $"{measured.Name} {Value(measured)}{Limit(measured).In(texts) switch { "" => "", var limit => $" ({limit})" }}";

    private static string Value(Measurement measured) => $"{Number(measured.Value)} {measured.Unit}".TrimEnd();

    private static Phrase Limit(Measurement measured) => (measured.AtLeast, measured.AtMost) switch
    {
        ({ } least, { } most) => (Phrase)$"{Number(least)} to {Number(most)}",
        ({ } least, null) => (Phrase)$"at least {Number(least)}",
        (null, { } most) => (Phrase)$"at most {Number(most)}",
        _ => (Phrase)"",
    };

    public static string Number(double value) => value.ToString(Math.Abs(value) < 10 ? "0.##" : "0.#", CultureInfo.InvariantCulture);
}
