using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Gateways.Mqtt;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>The files of the hub's CA and certificate: what a crash, a copy or a person may have done to them between two starts.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class HubCertificateTests : IDisposable
{
    private static readonly string[] Names = ["localhost", "127.0.0.1"];

    private readonly string folder = Path.Combine(Directory.CreateTempSubdirectory("tls-").FullName, "tls");
    private readonly DateTimeOffset now = TimeProvider.System.GetUtcNow();

    private string Leaf => Path.Combine(folder, "hub.pem");

    private string CaKey => Path.Combine(folder, "ca-key.pem");

    private string Ca => Path.Combine(folder, "ca.pem");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);

    [Fact]
    public void Files_are_readable_by_their_owner_alone_also_when_they_came_with_wider_rights()
    {
        using var first = Load();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.All([Leaf, CaKey], file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        File.SetUnixFileMode(CaKey, (UnixFileMode)0b110_110_110);
        File.SetUnixFileMode(Leaf, (UnixFileMode)0b110_100_100);
        using var again = Load();

        Assert.All([Leaf, CaKey], file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Equal(first.Thumbprint, again.Thumbprint);
    }

    [Fact]
    public void Half_a_leaf_a_lost_public_file_and_what_a_killed_start_left_are_mended_under_the_same_ca()
    {
        using var first = Load();
        var pinned = File.ReadAllText(Ca);
        File.WriteAllText(Leaf, File.ReadAllText(Leaf)[..900]);
        File.WriteAllText(Leaf + ".new", "half of one");
        File.Delete(Ca);
        using var mended = Load();

        Assert.Equal(pinned, File.ReadAllText(Ca));
        Assert.NotEqual(first.Thumbprint, mended.Thumbprint);
        Assert.True(IsIssuedBy(pinned, mended));
    }

    [Fact]
    public void Half_a_ca_stops_the_start_and_is_left_as_it_is()
    {
        using var first = Load();
        var half = File.ReadAllText(CaKey)[..1500];
        File.WriteAllText(CaKey, half);

        Assert.Contains("ca-key.pem", Assert.Throws<HubCertificateException>(Load).Message, StringComparison.Ordinal);
        Assert.Equal(half, File.ReadAllText(CaKey));
    }

    [Fact]
    public void Ca_key_may_be_kept_elsewhere_until_the_leaf_must_be_renewed()
    {
        using var first = Load();
        var key = File.ReadAllText(CaKey);
        File.Delete(CaKey);
        using (var again = Load())
        {
            Assert.Equal(first.Thumbprint, again.Thumbprint);
        }

        Assert.Contains("ca-key.pem", Assert.Throws<HubCertificateException>(() => Load(["pay.example"])).Message, StringComparison.Ordinal);
        File.WriteAllText(CaKey, key);
        using var renewed = Load(["pay.example"]);
        Assert.True(IsIssuedBy(File.ReadAllText(Ca), renewed));
    }

    [Fact]
    public void Leaf_is_renewed_when_it_ends_within_90_days_when_its_clock_was_ahead_and_when_another_ca_had_issued_it()
    {
        using var first = Load();
        using var same = HubCertificate.LoadOrMake(folder, Names, first.NotAfter.ToUniversalTime().AddDays(-91));
        Assert.Equal(first.Thumbprint, same.Thumbprint);
        using var later = HubCertificate.LoadOrMake(folder, Names, first.NotAfter.ToUniversalTime().AddDays(-89));
        Assert.NotEqual(first.Thumbprint, later.Thumbprint);
        using var back = Load();
        Assert.NotEqual(later.Thumbprint, back.Thumbprint);
        Assert.True(IsIssuedBy(File.ReadAllText(Ca), back));

        File.Delete(CaKey);
        File.Delete(Ca);
        using var anew = Load();
        Assert.True(IsIssuedBy(File.ReadAllText(Ca), anew));
    }

    [Fact]
    public void Leaf_that_should_be_renewed_and_cannot_is_used_to_its_end()
    {
        using var first = Load();
        File.Delete(CaKey);
        var end = first.NotAfter.ToUniversalTime();
        using var last = HubCertificate.LoadOrMake(folder, Names, end.AddHours(-1));

        Assert.Equal(first.Thumbprint, last.Thumbprint);
        Assert.Contains("ca-key.pem", Assert.Throws<HubCertificateException>(() => HubCertificate.LoadOrMake(folder, Names, end.AddHours(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Running_hub_renews_its_leaf_and_sessions_go_on_under_the_one_before()
    {
        var clock = new FakeTimeProvider(now);
        using var keeper = new HubCertificateKeeper(folder, Names, clock, NullLogger<HubCertificateKeeper>.Instance);
        keeper.Open();
        await using var hub = await Serve(keeper);
        await using var session = await ShakeHands(hub, clock);
        clock.Advance(TimeSpan.FromDays(700));
        await using (var another = await ShakeHands(hub, clock))
        {
            Assert.Equal(Thumbprint(session), Thumbprint(another));
        }

        // Without the CA's key the day passes; the key is put back, and another day is enough.
        var key = File.ReadAllText(CaKey);
        File.Delete(CaKey);
        clock.Advance(TimeSpan.FromDays(100));
        await using (var kept = await ShakeHands(hub, clock))
        {
            Assert.Equal(Thumbprint(session), Thumbprint(kept));
        }

        File.WriteAllText(CaKey, key);
        clock.Advance(TimeSpan.FromDays(1));
        await using var renewed = await ShakeHands(hub, clock);
        Assert.NotEqual(Thumbprint(session), Thumbprint(renewed));

        clock.Advance(TimeSpan.FromDays(400));
        await using var later = await ShakeHands(hub, clock);
        Assert.Equal(Thumbprint(renewed), Thumbprint(later));
        foreach (var stream in new[] { session, renewed, later })
        {
            await Echo(stream);
        }
    }

    /// <summary>A listener with TLS as the hub has it, that sends back what it gets.</summary>
    private static async Task<WebApplication> Serve(HubCertificateKeeper keeper)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listener =>
        {
            listener.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => new(keeper.Handshakes) });
            listener.Run(connection => connection.Transport.Input.CopyToAsync(connection.Transport.Output));
        }));
        var app = builder.Build();
        await app.StartAsync();
        return app;
    }

    /// <summary>As a terminal that has pinned the CA and whose clock is right.</summary>
    private async Task<SslStream> ShakeHands(WebApplication hub, TimeProvider clock)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(hub.Urls.Single()).Port);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false);
        using var ca = X509CertificateLoader.LoadCertificateFromFile(Ca);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { ca }, RevocationMode = X509RevocationMode.NoCheck,
                VerificationTime = clock.GetUtcNow().UtcDateTime, VerificationTimeIgnored = false,
            },
        });
        await Echo(tls);
        return tls;
    }

    private static async Task Echo(SslStream tls)
    {
        var answer = new byte[4];
        await tls.WriteAsync("ping"u8.ToArray());
        await tls.ReadExactlyAsync(answer);
        Assert.Equal("ping"u8.ToArray(), answer);
    }

    private static string Thumbprint(SslStream tls) => tls.RemoteCertificate!.GetCertHashString();

    private X509Certificate2 Load() => Load(Names);

    private X509Certificate2 Load(string[] names) => HubCertificate.LoadOrMake(folder, names, now);

    private static bool IsIssuedBy(string caPem, X509Certificate2 leaf)
    {
        using var ca = X509Certificate2.CreateFromPem(caPem);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(ca);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf);
    }
}
