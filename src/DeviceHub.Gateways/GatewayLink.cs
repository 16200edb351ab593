using System.Collections.Concurrent;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;

namespace DeviceHub.Gateways;

/// <summary>The sessions of this process that have logged in or are about to, and how grains reach them. Nothing here waits.</summary>
internal sealed class GatewayLink : IGatewayLink
{
    private readonly ConcurrentDictionary<(string SerialNumber, long Epoch), TerminalSession> sessions = new();

    public void Add(TerminalSession session) => sessions[(session.SerialNumber, session.Epoch)] = session;

    public void Remove(TerminalSession session) => sessions.TryRemove((session.SerialNumber, session.Epoch), out _);

    public void Cut(string serialNumber, long sessionEpoch) => Find(serialNumber, sessionEpoch)?.Replace();

    public void PaymentChanged(string serialNumber, long sessionEpoch, PaymentView view) => Find(serialNumber, sessionEpoch)?.PaymentChanged(view);

    public void Collect(string serialNumber, long sessionEpoch, CollectCall call) => Find(serialNumber, sessionEpoch)?.Collect(call);

    public void CancelCollect(string serialNumber, long sessionEpoch, string chargeId) => Find(serialNumber, sessionEpoch)?.CancelCollect(chargeId);

    public void ConfigurationChanged(string serialNumber, long sessionEpoch) =>
        Find(serialNumber, sessionEpoch)?.ConfigurationChanged();

    public void Resumed(string serialNumber, long sessionEpoch) => Find(serialNumber, sessionEpoch)?.Resumed();

    public void Watch(string serialNumber, long sessionEpoch, IReadOnlyList<ITerminalObserver> watchers) =>
        Find(serialNumber, sessionEpoch)?.Watch(watchers);

    private TerminalSession? Find(string serialNumber, long epoch) => sessions.GetValueOrDefault((serialNumber, epoch));
}
