using System.Globalization;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>Measured values in words.</summary>
internal static class Wording
{
    public static string Of(Measurement measured) => $"{measured.Name} {Value(measured)}{Limit(measured) switch { "" => "", var limit => $" ({limit})" }}";

    public static string Value(Measurement measured) => $"{Number(measured.Value)} {measured.Unit}".TrimEnd();

    public static string Limit(Measurement measured) => (measured.AtLeast, measured.AtMost) switch
    {
        ({ } least, { } most) => $"{Number(least)} to {Number(most)}",
        ({ } least, null) => $"at least {Number(least)}",
        (null, { } most) => $"at most {Number(most)}",
        _ => "",
    };

    public static string Number(double value) => value.ToString(Math.Abs(value) < 10 ? "0.##" : "0.#", CultureInfo.InvariantCulture);
}
