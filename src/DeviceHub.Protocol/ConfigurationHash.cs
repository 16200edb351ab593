using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.Protocol;

/// <summary>
/// SHA-256 over the entries sorted by key (bytewise). Each entry is: key, 0x00, its type ('f', 'n' or 't'), its value ("1"/"0",
/// decimal, UTF-8), 0x0A. Specified in firmware-protocol/README.md, "Configuration".
/// </summary>
public static class ConfigurationHash
{
    public static byte[] Of(IEnumerable<ConfigurationEntry> entries)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var entry in entries.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            var value = entry.ValueCase switch
            {
                ConfigurationEntry.ValueOneofCase.Flag => "f" + (entry.Flag ? "1" : "0"),
                ConfigurationEntry.ValueOneofCase.Number => "n" + entry.Number.ToString(CultureInfo.InvariantCulture),
                _ => "t" + entry.Text,
            };
            hash.AppendData(Encoding.UTF8.GetBytes($"{entry.Key}\0{value}\n"));
        }

        return hash.GetHashAndReset();
    }
}
