using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>The hub's MQTT endpoint in a process of its own, with the hub's options, behind which every payload is sent straight back.</summary>
internal static class EchoChild
{
    public static async Task<int> Run()
    {
        var folder = Directory.CreateTempSubdirectory("devicehub-bench-");
        try
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.Configuration.AddInMemoryCollection(HubChild.Options);
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddSingleton<ITerminalSessions, EchoSessions>();
            builder.Services.AddMqttEndpoint(folder.FullName);
            await using var app = builder.Build();
            await app.StartAsync();
            Console.WriteLine($"ready {app.Services.GetRequiredService<MqttAddresses>().Plain!.Port}");
            await ChildLoop.Serve();
            await app.StopAsync();
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
    }

    private sealed class EchoSessions : ITerminalSessions
    {
        public ValueTask<bool> CheckToken(string serialNumber, string token, IWire wire) => ValueTask.FromResult(false);

        public ITerminalSession Open(string serialNumber, string? token, IWire wire)
        {
            wire.LoggedIn();
            return new EchoSession(wire);
        }
    }

    private sealed class EchoSession(IWire wire) : ITerminalSession
    {
        public ValueTask Receive(ReadOnlyMemory<byte> payload)
        {
            wire.TrySend(payload.Span);
            return ValueTask.CompletedTask;
        }

        public void ReceiverReady()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
