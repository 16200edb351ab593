using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Gateways.Mqtt;

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
    public void Leaf_is_renewed_at_the_start_after_which_a_year_without_another_would_outlast_it_and_when_another_ca_had_issued_it()
    {
        using var first = Load();
        using var same = HubCertificate.LoadOrMake(folder, Names, first.NotAfter.ToUniversalTime().AddDays(-401));
        Assert.Equal(first.Thumbprint, same.Thumbprint);
        using var later = HubCertificate.LoadOrMake(folder, Names, first.NotAfter.ToUniversalTime().AddDays(-399));
        Assert.NotEqual(first.Thumbprint, later.Thumbprint);

        File.Delete(CaKey);
        File.Delete(Ca);
        using var anew = Load();
        Assert.True(IsIssuedBy(File.ReadAllText(Ca), anew));
    }

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
