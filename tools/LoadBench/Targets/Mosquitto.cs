using System.Net;
using System.Net.Sockets;
using DeviceHub.Tools.LoadBench.Driver;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>Debian's mosquitto on a free loopback port, with its responder.</summary>
internal sealed class Mosquitto : IDisposable
{
    private static readonly string[] Places = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"];

    private readonly ServerProcess broker;
    private readonly ServerProcess responder;

    /// <param name="folder">For its configuration.</param>
    public Mosquitto(string folder)
    {
        Port = FreePort();
        var file = Path.Combine(folder, "mosquitto.conf");
        File.WriteAllText(file, Configuration(Port));
        broker = ServerProcess.Start(Program(), "-c", file);
        WaitForPort();
        responder = ServerProcess.Start(Environment.ProcessPath!, "responder", Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        responder.Expect("ready", TimeSpan.FromSeconds(10));
    }

    public int Port { get; }

    public ServerProcess Broker => broker;

    public void Dispose()
    {
        responder.Dispose();
        broker.Dispose();
    }

    private static string Configuration(int port) => $"""
        listener {port} 127.0.0.1
        allow_anonymous true
        set_tcp_nodelay true
        persistence false
        max_inflight_messages 0
        max_queued_messages 0
        log_type none

        """;

    private static string Program() => Places.FirstOrDefault(File.Exists)
        ?? throw new BenchException("mosquitto is not installed: apt-get install mosquitto");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void WaitForPort()
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var probe = new TcpClient();
                probe.Connect(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException) when (tries < 100)
            {
                Thread.Sleep(50);
            }
        }
    }
}
