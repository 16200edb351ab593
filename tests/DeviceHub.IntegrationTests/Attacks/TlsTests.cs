using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>The TLS listener as small stacks see it, tried with <c>openssl s_client</c>; with the rest of attack 6 of RELIABILITY.md.</summary>
[Collection(AttackGroup.Name)]
public sealed partial class TlsTests(StrictHub hub)
{
    private readonly IPAddress from = RawClient.NewAddress();

    [Theory]
    [InlineData("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")]
    [InlineData("-tls1_3")]
    [InlineData("-tls1_2", "-alpn", "mqtt")]
    public async Task Hub_is_verified_by_its_pinned_ca_alone_without_sni(params string[] arguments)
    {
        var refused = await hub.WatchRefused("tls-handshake");
        var seen = await OpenSsl([.. arguments, "-noservername", "-verify_return_error", "-verify_ip", "127.0.0.1"]);

        Assert.Contains("Verify return code: 0 (ok)", seen, StringComparison.Ordinal);
        Assert.Contains("Server public key is 2048 bit", seen, StringComparison.Ordinal);
        Assert.Single(Certificates().Matches(seen));
        if (arguments.Contains("-cipher"))
        {
            Assert.Contains("New, TLSv1.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256", seen, StringComparison.Ordinal);
        }

        await hub.ServesOthers();
        Assert.Equal(0, await refused.Grew(0));
    }

    [Theory]
    [InlineData("-tls1")]
    [InlineData("-tls1_1")]
    public async Task Attack_6_versions_before_1_2_are_refused(string version)
    {
        var refused = await hub.WatchRefused("tls-handshake");
        var seen = await OpenSsl([version, "-cipher", "ALL:@SECLEVEL=0"]);

        Assert.Contains("alert protocol version", seen, StringComparison.Ordinal);
        Assert.Contains("Cipher is (NONE)", seen, StringComparison.Ordinal);
        await hub.ServesOthers();
        await refused.Grew();
    }

    /// <summary>The certificate alone is larger than 512 bytes, so that an answer in larger records would be seen.</summary>
    [Theory]
    [InlineData("-tls1_2", 512)]
    [InlineData("-tls1_2", 1024)]
    [InlineData("-tls1_3", 512)]
    public async Task Maximum_fragment_length_is_agreed_and_kept(string version, int length)
    {
        var refused = await hub.WatchRefused("tls-handshake");
        var seen = await OpenSsl([version, "-maxfraglen", length.ToString(CultureInfo.InvariantCulture), "-tlsextdebug", "-msg"]);

        Assert.Contains("TLS server extension \"max fragment length\"", seen, StringComparison.Ordinal);
        Assert.Contains("Verify return code: 0 (ok)", seen, StringComparison.Ordinal);
        var records = ReceivedRecords().Matches(seen).Select(m => Convert.ToInt32(m.Groups[1].Value.Replace(" ", "", StringComparison.Ordinal), 16)).ToList();
        Assert.True(records.Count > 3, seen);

        // A fragment may grow by 256 bytes when it is encrypted.
        Assert.All(records, record => Assert.InRange(record, 1, length + 256));
        Assert.True(length > 512 || records.Any(r => r >= 512), "nothing was large enough to be split");
        await hub.ServesOthers();
        Assert.Equal(0, await refused.Grew(0));
    }

    /// <summary>What spares a hub two thirds of a handshake when a fleet comes back, and a terminal the certificate.</summary>
    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Terminal_that_comes_back_resumes_its_tls_session(string version)
    {
        var refused = await hub.WatchRefused("tls-handshake");
        var session = Path.GetTempFileName();
        try
        {
            // With 1.3 the ticket comes after the handshake: something has to be read.
            using (var first = Start([version, "-noservername", "-sess_out", session]))
            {
                await first.StandardInput.BaseStream.WriteAsync(Packets.Connect(AttackHub.NewSerial(), v5: false));
                await first.StandardInput.BaseStream.FlushAsync();
                await Tests.Eventually.Holds(() => new FileInfo(session).Length > 0, "openssl has kept the session");
                first.Kill();
                await first.WaitForExitAsync();
            }

            var seen = await OpenSsl([version, "-noservername", "-sess_in", session]);
            Assert.Contains("Reused, TLSv1." + version[^1], seen, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(session);
        }

        await hub.ServesOthers();
        Assert.Equal(0, await refused.Grew(0));
    }

    [Fact]
    public void Ca_can_be_checked_by_a_clock_that_was_set_at_the_factory_and_for_thirty_years()
    {
        using var ca = X509CertificateLoader.LoadCertificateFromFile(hub.CaFile);
        Assert.Equal((2020, 2050), (ca.NotBefore.ToUniversalTime().Year, ca.NotAfter.ToUniversalTime().Year));
        Assert.Equal("1.2.840.113549.1.1.11", ca.SignatureAlgorithm.Value);
    }

    /// <summary>Its own clock stands at the first of January 2021, with or without a battery: the leaf, made today, must be valid then.</summary>
    [Fact]
    public async Task Terminal_whose_clock_was_set_at_the_factory_verifies_the_hub()
    {
        var refused = await hub.WatchRefused("tls-handshake");
        var seen = await OpenSsl(["-tls1_2", "-attime", "1609459200", "-noservername", "-verify_return_error", "-verify_ip", "127.0.0.1"]);

        Assert.Contains("Verify return code: 0 (ok)", seen, StringComparison.Ordinal);
        await hub.ServesOthers();
        Assert.Equal(0, await refused.Grew(0));
    }

    [Fact]
    public async Task Terminal_activates_logs_in_and_pays_over_tls_with_the_pinned_ca()
    {
        var welcomes = await hub.Watch("session.welcomes");
        var outcomes = await hub.Watch("payments.outcomes", "Approved");
        using var ca = X509CertificateLoader.LoadCertificateFromFile(hub.CaFile);
        await using var activating = new TestTerminal(AttackHub.NewSerial(), hub.TlsPort) { Ca = ca, Secrets = hub.Secrets };
        var key = await activating.Activate(await hub.NewActivationCode());
        await using var terminal = new TestTerminal(activating.SerialNumber, hub.TlsPort) { Ca = ca, Key = key, Secrets = hub.Secrets };
        await terminal.Login();

        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.PayForOutcome(terminal.Request(8100))).Result);
        await hub.ServesOthers();
        await welcomes.Grew();
        await outcomes.Grew();
    }

    /// <summary>Bytes from a pipe through somebody else's TLS: CONNECT is answered by CONNACK, PINGREQ by PINGRESP.</summary>
    [Fact]
    public async Task Mqtt_goes_through_the_tls_of_openssl_with_small_fragments()
    {
        var refused = await hub.WatchRefused("tls-handshake");
        var serialNumber = AttackHub.NewSerial();
        using var client = Start(["-tls1_2", "-maxfraglen", "512", "-quiet", "-verify_return_error"]);
        var output = client.StandardOutput.BaseStream;
        await client.StandardInput.BaseStream.WriteAsync(Packets.Connect(serialNumber, v5: false).Concat(Packets.PingReq).ToArray());
        await client.StandardInput.BaseStream.FlushAsync();
        var answer = new byte[6];
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await output.ReadExactlyAsync(answer, limit.Token);
        client.StandardInput.Close();
        client.Kill();
        await client.WaitForExitAsync(limit.Token);

        Assert.Equal([0x20, 2, 0, 0, 0xD0, 0], answer);
        await hub.ServesOthers();
        Assert.Equal(0, await refused.Grew(0));
    }

    /// <summary>What it printed, when its input ended at once.</summary>
    private async Task<string> OpenSsl(string[] arguments)
    {
        using var client = Start([.. arguments, "-showcerts"]);
        client.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var output = client.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = client.StandardError.ReadToEndAsync(limit.Token);
        await client.WaitForExitAsync(limit.Token);
        return await output + await errors;
    }

    private Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo("openssl") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["s_client", "-connect", $"127.0.0.1:{hub.TlsPort}", "-bind", from + ":0", "-CAfile", hub.CaFile, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    [GeneratedRegex("-----BEGIN CERTIFICATE-----")]
    private static partial Regex Certificates();

    /// <summary>A record's header: type, version, and its length in the last two bytes.</summary>
    [GeneratedRegex(@"<<< TLS [\d.]+, RecordHeader \[length 0005\]\n\s+[0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2} ([0-9a-f]{2} [0-9a-f]{2})")]
    private static partial Regex ReceivedRecords();
}
