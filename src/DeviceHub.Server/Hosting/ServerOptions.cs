using System.ComponentModel.DataAnnotations;
using System.Net;
using DeviceHub.Channels.Http;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Hosting;

/// <summary>The hub's process, pages and API; section <c>Server</c>.</summary>
public sealed class ServerOptions
{
    public const string Section = "Server";

    /// <summary>Where everything that outlives the process is kept; relative to the working directory.</summary>
    [Required]
    public string DataFolder { get; set; } = "data";

    /// <summary>Where pages and API listen, separated by ';': http or https, an IP address, a port (0: any free one).</summary>
    [Required]
    public string Urls { get; set; } = "http://127.0.0.1:5080";

    /// <summary>
    /// Where the Internet reaches this hub, such as <c>https://hub.example.com</c>; channels are told to send their notices there. None: they are
    /// told no address, and what became of a payment or a refund is asked for. Http is for loopback only: to try notices of a test server.
    /// </summary>
    public Uri? PublicUrl { get; set; }

    /// <summary>PEM file of the certificate (chain) for https.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file of the certificate's key.</summary>
    public string? CertificateKeyFile { get; set; }

    /// <summary>Allows http on an address that is not loopback: passwords and keys cross the network in the clear.</summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>How long a stop may take in all; what is not finished then is taken up at the next start.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan StopDeadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest body of an HTTP request, in bytes.</summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 256 * 1024;

    /// <summary>Open HTTP and MQTT connections of this process.</summary>
    [Range(10, 10_000_000)]
    public int MaxConnections { get; set; } = 200_000;

    /// <summary>Most rows of a page of the API.</summary>
    [Range(1, 1000)]
    public int MaxPageSize { get; set; } = 200;

    /// <summary>Deepest row that paging reaches; narrower filters reach the rest.</summary>
    [Range(1000, 10_000_000)]
    public int MaxPageDepth { get; set; } = 100_000;

    /// <summary>Most rows of a list that is exported to a file.</summary>
    [Range(1, 10_000_000)]
    public int MaxExportRows { get; set; } = 100_000;

    /// <summary>Requests a second of one API key or person; a burst may be 5 times as many.</summary>
    [Range(1, 100_000)]
    public int ApiRequestsPerSecond { get; set; } = 50;

    /// <summary>Notices of channels a second from one address; a burst may be 5 times as many. A channel that is refused calls again.</summary>
    [Range(1, 100_000)]
    public int NoticesPerSecond { get; set; } = 100;

    /// <summary>Largest notice of a channel, in bytes.</summary>
    [Range(1024, 1024 * 1024)]
    public int MaxNoticeBytes { get; set; } = 64 * 1024;

    /// <summary>Tries to sign in a minute from one address.</summary>
    [Range(1, 10_000)]
    public int SignInsPerMinute { get; set; } = 20;

    /// <summary>Wrong passwords in a row after which an account is locked.</summary>
    [Range(1, 100)]
    public int LockoutAfter { get; set; } = 8;

    /// <summary>How long a locked account stays locked.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan LockoutFor { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The answer to a wrong password or API key comes no sooner than this.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan WrongCredentialsDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a sign-in lasts without use.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan SignInLifetime { get; set; } = TimeSpan.FromHours(8);

    /// <summary>Activation codes, merchants, stores and API keys that may exist, each.</summary>
    [Range(1, 10_000_000)]
    public int MaxRecords { get; set; } = 1_000_000;

    /// <summary>Whether the Orleans dashboard counts and times the calls of grains. Every call then passes its filter, which costs a twentieth to a tenth of a payment's processor time.</summary>
    public bool ProfileGrains { get; set; }

    internal IEnumerable<Uri?> ParsedUrls() =>
        Urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(url => Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? parsed : null);

    internal static IPAddress? AddressOf(Uri url) => url.Host switch
    {
        "localhost" => IPAddress.Loopback,
        var host => IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address : null,
    };
}

internal sealed class ServerOptionsValidator : IValidateOptions<ServerOptions>
{
    public ValidateOptionsResult Validate(string? name, ServerOptions options)
    {
        var faults = new List<string>();
        var urls = options.ParsedUrls().ToList();
        if (urls.Count == 0)
        {
            faults.Add("Server:Urls is empty; the default is http://127.0.0.1:5080");
        }

        foreach (var url in urls)
        {
            if (url is not { Scheme: "http" or "https" } || ServerOptions.AddressOf(url) is not { } address)
            {
                faults.Add($"Server:Urls must hold addresses like http://127.0.0.1:5080, https://0.0.0.0:5443; it is '{options.Urls}'");
            }
            else if (url.Scheme == "http" && !IPAddress.IsLoopback(address) && !options.AllowPlainHttp)
            {
                faults.Add($"Server:Urls has {url}, which would send passwords in the clear; use https, or say Server:AllowPlainHttp=true");
            }
        }

        if (options.PublicUrl is not null && ChannelAddress.Fault("Server:PublicUrl", options.PublicUrl) is { } fault)
        {
            faults.Add(fault);
        }

        if (urls.Any(url => url is { Scheme: "https" }) && (options.CertificateFile is null || options.CertificateKeyFile is null))
        {
            faults.Add("Server:Urls has an https address; it needs Server:CertificateFile and Server:CertificateKeyFile (PEM)");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
