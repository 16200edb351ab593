using System.Globalization;

namespace DeviceHub.Tools.Chaos;

/// <summary>
/// Options that let the strangest payment be over in seconds: the hub's waits in proportion to the channels', so that every fault still
/// happens (an answer lost, a charge after the last reversal), and limits that a dozen terminals that connect again and again would meet.
/// </summary>
internal static class HubArguments
{
    public static string[] Of(string folder, Uri url, int mqttPort, int tlsPort, Uri channels) =>
    [
        $"--Server:DataFolder={folder}", $"--Server:Urls={url}", "--Server:ApiRequestsPerSecond=1000",

        // All channels call from one address.
        $"--Server:PublicUrl={url}", "--Server:NoticesPerSecond=1000",
        Port("Mqtt:Port", mqttPort), "--Mqtt:TlsAddress=127.0.0.1", Port("Mqtt:TlsPort", tlsPort),
        "--Mqtt:ConnectBurst=100000", "--Mqtt:MaxConnectionsNotLoggedInPerAddress=1000", "--Mqtt:PacketsPerSecond=1000",
        $"--WeChatPay:Url={channels}", $"--Alipay:Url={new Uri(channels, "/gateway.do")}", $"--Shouqianba:Url={channels}",
        "--Payments:PayDeadline=00:00:01", "--Payments:QueryDeadline=00:00:01",
        "--Payments:QueryWaits:0=00:00:00", "--Payments:QueryWaits:1=00:00:00.2", "--Payments:QueryWaits:2=00:00:00.4",
        "--Payments:PendingWait=00:00:00.3", "--Payments:UnknownLimit=00:00:01",
        "--Payments:CodeLifetime=00:00:01", "--Payments:NotFoundMargin=00:00:00.5",
        "--Payments:LateChecks:0=00:00:03", "--Payments:LateChecks:1=00:00:08",
        "--Payments:SweepEvery=00:00:00.2", "--Payments:SweepGrace=00:00:00.5",
        .. Chaos.Channels.Used.SelectMany<string, string>(c => [$"--Payments:Channels:{c}:ReverseNotBefore=00:00:00.5", $"--Payments:Channels:{c}:PendingLimit=00:00:03"]),
        "--Routing:BreakerOpenFor=00:00:01", "--Routing:BreakerMaxOpenFor=00:00:02",
    ];

    public static string[] Channels(string folder, Uri url, int seed) =>
    [
        "--url", url.ToString(), "--accounts", AccountsFile(folder), "--book", Path.Combine(folder, "book.jsonl"), "--seed", seed.ToString(CultureInfo.InvariantCulture),
        "--password-after", "0.5", "--late-after", "4", "--slow-after", "0.5", "--hang-for", "2", "--refund-after", "1", "--reverse-after", "0.3", "--notice-speed", "100",
    ];

    public static string AccountsFile(string folder) => Path.Combine(folder, "accounts.json");

    private static string Port(string option, int port) => string.Create(CultureInfo.InvariantCulture, $"--{option}={port}");
}
