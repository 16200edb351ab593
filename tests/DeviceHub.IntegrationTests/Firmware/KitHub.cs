using System.Globalization;
using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Tests;
using DeviceHub.Tools.Demo;

namespace DeviceHub.IntegrationTests.Firmware;

/// <summary>A hub as a process, with a cable on a serial port, and the kit's terminals for it.</summary>
public sealed class KitHub : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("kit-").FullName;
    private readonly PtyPair cable;
    private readonly HubProcess process;
    private HubClient? api;
    private string? store;
    private int flashes;

    public KitHub()
    {
        cable = new PtyPair(folder, "cable");
        process = new HubProcess(null, $"--Serial:Ports:cable:Path={cable.HubEnd}", "--Charges:CollectingWait=00:00:20", "--Sandbox:TimeoutAfter=00:00:02", "--Terminals:HeartbeatIntervalSeconds=30");
    }

    internal HubClient Api => api!;

    internal Uri Url => process.Url;

    internal int MqttPort => process.MqttPort;

    public async ValueTask InitializeAsync()
    {
        await KitTerminal.Build();
        await cable.Plug();
        await process.Start();
        await Eventually.Holds(() => process.FirstPassword is not null, "the first start shows its password");
        api = new HubClient(process.Url, (await HubClient.FirstSignIn(process.Url, "admin", process.FirstPassword!)).ApiKey);
        store = await api.MakeStore(await api.MakeMerchant("Noodle shop"), "Main street");
    }

    public async ValueTask DisposeAsync()
    {
        api?.Dispose();
        await process.DisposeAsync();
        cable.Dispose();
        Directory.Delete(folder, recursive: true);
        Assert.DoesNotContain(" fail: ", process.Output, StringComparison.Ordinal);
    }

    internal Task<string> NewActivationCode() => Api.MakeActivationCode(store!, "S1", 1);

    internal string NewFlash() => Path.Combine(folder, $"{Interlocked.Increment(ref flashes)}.flash");

    internal KitTerminal Mqtt(string serialNumber, string flash, params string[] more) =>
        new("dhp_mqtt", ["--port", process.MqttPort.ToString(CultureInfo.InvariantCulture), "--serial", serialNumber, "--flash", flash, .. more]);

    /// <param name="ca">A file of PEM; null: the hub's own, as an integrator pins it.</param>
    internal KitTerminal MqttOverTls(string serialNumber, string flash, string? ca = null) => new(
        "dhp_mqtt", "--port", process.MqttTlsPort.ToString(CultureInfo.InvariantCulture), "--ca", ca ?? Path.Combine(process.DataFolder, "tls", "ca.pem"),
        "--serial", serialNumber, "--flash", flash);

    /// <summary>The certificate of a CA that this hub has nothing to do with.</summary>
    internal string ForeignCa()
    {
        using var key = System.Security.Cryptography.RSA.Create(2048);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest(
            "CN=DeviceHub CA", key, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new System.Security.Cryptography.X509Certificates.X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var path = Path.Combine(folder, "foreign.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem());
        return path;
    }

    internal KitTerminal Serial(string serialNumber, string flash, params string[] more) =>
        new("dhp_serial_line", ["--port", cable.TerminalEnd, "--serial", serialNumber, "--flash", flash, .. more]);
}
