using System.Security.Cryptography.X509Certificates;
using DeviceHub.Gateways;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>
/// One port's way to the hub: the connection that is made while its terminal says HELLO, and the back-off after one that could not be made. No key, no
/// message is looked at. Every call returns at once.
/// </summary>
internal sealed class PortRelay(RemoteHubOptions options, X509Certificate2Collection? ca, TimeProvider time, PortState state) : IAsyncDisposable
{
    private readonly Lock gate = new();

    /// <summary>Being made, or ready and not used yet.</summary>
    private HubConnection? coming;
    private int failures;
    private long notBefore;

    /// <summary>A terminal says HELLO. True: there is a connection for it.</summary>
    public bool Takes(string serialNumber, int largestPayload)
    {
        lock (gate)
        {
            if (coming is { Ended: null } there && there.SerialNumber == serialNumber && there.MaxMessageBytes == largestPayload)
            {
                return there.IsReady;
            }

            if (coming is { } other)
            {
                coming = null;
                _ = Task.Run(other.DisposeAsync);
            }

            if (time.GetTimestamp() >= notBefore)
            {
                state.Say(PortStage.Connecting, serialNumber);
                var made = coming = new HubConnection(options, ca, serialNumber, largestPayload) { Over = Over };
                _ = Task.Run(made.Open);
            }

            return false;
        }
    }

    /// <summary>The link is up. Null: the connection ended in between, and the wire was cut.</summary>
    public HubConnection? Begin(string serialNumber, IWire wire)
    {
        HubConnection? taken;
        lock (gate)
        {
            taken = coming is { IsReady: true } ready && ready.SerialNumber == serialNumber ? ready : null;
            coming = taken is null ? coming : null;
            failures = taken is null ? failures : 0;
        }

        if (taken is null)
        {
            wire.Cut(CutReason.HubLost);
            return null;
        }

        state.Say(PortStage.Connected, serialNumber);

        // The hub watches over the login, and ends the connection of one that does not come.
        wire.LoggedIn();
        taken.Attach(wire);
        return taken;
    }

    /// <summary>The link that began is over.</summary>
    public async ValueTask End(HubConnection? connection)
    {
        state.Left();
        if (connection is not null)
        {
            await connection.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        HubConnection? last;
        lock (gate)
        {
            last = coming;
            coming = null;
        }

        if (last is not null)
        {
            await last.DisposeAsync();
        }
    }

    private void Over(HubConnection connection, HubEnd why)
    {
        lock (gate)
        {
            if (coming == connection)
            {
                coming = null;
                if (!connection.IsReady)
                {
                    BackOff(why.ByHub);
                }
            }
        }

        state.Say(why.ByHub ? PortStage.RefusedByHub : PortStage.NoHub, connection.SerialNumber, why.Words);
    }

    private void BackOff(bool refused)
    {
        var seconds = Math.Min(Math.Pow(2, failures), options.MaxBackOffSeconds) + (refused ? Random.Shared.NextDouble() * options.JitterSeconds : 0);
        failures = Math.Min(failures + 1, 16);
        notBefore = time.GetTimestamp() + (long)(seconds * time.TimestampFrequency);
    }
}
