using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;

namespace DeviceHub.Gateways;

/// <summary>Waiting for outcomes, telling them, and sending again what nobody confirmed.</summary>
internal sealed partial class TerminalSession
{
    /// <summary>For how long a session that has ended stays for what it hands over.</summary>
    private static readonly TimeSpan HandOverWithin = TimeSpan.FromSeconds(2);

    /// <summary>The welcome is through. Before it a terminal expects nothing, and with a token could not open it: the hub's nonce is in the welcome.</summary>
    private bool synced;

    /// <summary>Payments that changed between login and <see cref="synced"/>, by request id.</summary>
    private Dictionary<string, PaymentView>? changed;
    private List<Unconfirmed>? unconfirmed;
    private CancellationTokenSource? ending;
    private int waits;

    /// <param name="Sends">How often it was sent again.</param>
    private sealed record Unconfirmed(PaymentView View, DateTimeOffset FirstSent, int Sends);

    /// <summary>A payment changed that this session does not wait for: it stopped to, or an earlier session hands it over.</summary>
    public void PaymentChanged(PaymentView view)
    {
        var requestId = view.Id.RequestId;
        lock (gate)
        {
            if (!synced)
            {
                changed ??= [];
                if (changed.Count < MaxOpen || changed.ContainsKey(requestId))
                {
                    changed[requestId] = view;
                }

                return;
            }

            if (state != SessionState.LoggedIn || (open?.TryGetValue(requestId, out var payment) is true && payment.Followed) || IsOld(view))
            {
                return;
            }
        }

        // What is not final may have changed on its way here: the payment itself is asked before anything is told.
        if (!Follow(view, requestId, told: false, ofEarlierSession: true))
        {
            Tell(view, requestId, late: false);
        }
    }

    /// <param name="open">The charge that was open at the login.</param>
    private void TellWhatCameMeanwhile(CollectCall? open)
    {
        CollectCall? call;
        Dictionary<string, PaymentView>? views;
        lock (gate)
        {
            synced = true;
            (call, collect) = (collect ?? open, null);
            (views, changed) = (changed, null);
        }

        foreach (var view in views?.Values ?? Enumerable.Empty<PaymentView>())
        {
            PaymentChanged(view);
        }

        if (call is not null)
        {
            Collect(call);
        }
    }

    /// <summary>Sends again what nobody confirmed. Called by the process's one ticker.</summary>
    public void ResendDue(DateTimeOffset now)
    {
        var waits = sessions.Options.ResendAfterSeconds;
        List<PaymentView>? due = null;
        lock (gate)
        {
            for (var i = (unconfirmed?.Count ?? 0) - 1; i >= 0; i--)
            {
                var item = unconfirmed![i];
                if (item.Sends >= waits.Length)
                {
                    SessionMetrics.Unconfirmed.Add(1);
                    unconfirmed.RemoveAt(i);
                }
                else if (now - item.FirstSent >= TimeSpan.FromSeconds(waits[item.Sends]))
                {
                    unconfirmed[i] = item with { Sends = item.Sends + 1 };
                    (due ??= []).Add(item.View);
                }
            }

            if (unconfirmed is not { Count: > 0 })
            {
                unconfirmed = null;
                sessions.Unwatch(this);
            }
        }

        foreach (var view in due ?? [])
        {
            SessionMetrics.Resent.Add(1);
            Send(WireMapping.ToWire(view, view.Id.RequestId, serialNumber, IsLate(view, now), now, Reader), money: true);
        }
    }

    /// <summary>Waits for the outcome outside of the message that asked for it. False: it is not waited for by this call.</summary>
    /// <param name="ofEarlierSession">They must not keep the terminal from selling.</param>
    private bool Follow(PaymentView view, string requestId, bool told, bool ofEarlierSession = false)
    {
        lock (gate)
        {
            if (view.Stage == PaymentStage.Final || state != SessionState.LoggedIn || (!ofEarlierSession && waits >= sessions.Options.MaxConcurrentPayments)
                || (open?.TryGetValue(requestId, out var payment) is true && payment.Followed))
            {
                return false;
            }

            waits += ofEarlierSession ? 0 : 1;
            (open ??= [])[requestId] = new OpenPayment(Followed: true);
        }

        _ = FollowToEnd(view, requestId, told, ofEarlierSession);
        return true;
    }

    private async Task FollowToEnd(PaymentView view, string requestId, bool told, bool ofEarlierSession)
    {
        try
        {
            var last = await Wait(view, requestId, told, ofEarlierSession);
            if (last.Stage != PaymentStage.Final)
            {
                // A change that came by the grain while this session still seemed to wait was left to this look.
                var now = await Payment(requestId).Outcome(last.Stage, TimeSpan.Zero).WaitAsync(Ending());
                if (now.Stage != last.Stage)
                {
                    Tell(now, requestId, late: false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The session ended, and hands it over.
        }
        catch (Exception e)
        {
            Fault(e, "Outcome");
        }
    }

    private async Task<PaymentView> Wait(PaymentView view, string requestId, bool told, bool ofEarlierSession)
    {
        var last = view;
        try
        {
            var grain = Payment(requestId);
            var began = sessions.Clock.GetTimestamp();
            var atMost = TimeSpan.FromSeconds(sessions.Options.OutcomeWaitSeconds);
            if (!told)
            {
                last = await grain.Outcome(last.Stage, TimeSpan.FromMilliseconds(sessions.Options.AcceptedAfterMs)).WaitAsync(Ending());
                Tell(last, requestId, late: false);
            }

            while (last.Stage != PaymentStage.Final && atMost - sessions.Clock.GetElapsedTime(began) is { Ticks: > 0 } left)
            {
                var next = await grain.Outcome(last.Stage, left).WaitAsync(Ending());
                if (next.Stage != last.Stage)
                {
                    Tell(next, requestId, late: false);
                }

                last = next;
            }

            return last;
        }
        finally
        {
            lock (gate)
            {
                waits -= ofEarlierSession ? 0 : 1;
                if (state != SessionState.Ended && open?.ContainsKey(requestId) is true)
                {
                    open[requestId] = new OpenPayment(Followed: false);
                }
            }
        }
    }

    /// <summary>Sends how a payment stands, and keeps what must be sent again.</summary>
    private void Tell(PaymentView view, string requestId, bool late)
    {
        if (state != SessionState.LoggedIn || (view.Id.RequestId == requestId && ToldMore(view)))
        {
            return;
        }

        var now = sessions.Clock.GetUtcNow();
        Send(WireMapping.ToWire(view, requestId, serialNumber, late || IsLate(view, now), now, Reader), money: true);
        if (view.Stage != PaymentStage.Final)
        {
            lock (gate)
            {
                if (open?.ContainsKey(requestId) is not true)
                {
                    (open ??= [])[requestId] = new OpenPayment(Followed: false);
                }
            }

            return;
        }

        if (view.Id.RequestId == requestId && view.Revision > view.ShownRevision)
        {
            lock (gate)
            {
                unconfirmed ??= [];
                unconfirmed.RemoveAll(u => u.View.Id == view.Id);
                unconfirmed.Add(new Unconfirmed(view, now, 0));
                if (unconfirmed.Count > sessions.Options.MaxUnconfirmed)
                {
                    SessionMetrics.Unconfirmed.Add(1);
                    unconfirmed.RemoveAt(0);
                }
            }

            sessions.Watch(this);
        }

        Close(requestId);
    }

    /// <summary>The terminal has its outcome already: an older word that comes after it would open the payment again.</summary>
    private bool ToldMore(PaymentView view) => Told(view.Id) is { } revision && (view.Stage != PaymentStage.Final || view.Revision < revision);

    /// <summary>Nothing in it that this session did not tell or the terminal did not show.</summary>
    private bool IsOld(PaymentView view) =>
        (Told(view.Id) is { } revision && (view.Stage != PaymentStage.Final || view.Revision <= revision)) || (view.Stage == PaymentStage.Final && view.Revision <= view.ShownRevision);

    /// <summary>The revision of an outcome that was told and is not confirmed; null: there is none.</summary>
    private int? Told(PaymentId id)
    {
        lock (gate)
        {
            for (var i = 0; i < unconfirmed?.Count; i++)
            {
                if (unconfirmed[i].View.Id == id)
                {
                    return unconfirmed[i].View.Revision;
                }
            }

            return null;
        }
    }

    private bool IsLate(PaymentView view, DateTimeOffset now) =>
        view.FinalAt is { } at && now - at > TimeSpan.FromSeconds(sessions.Options.LateAfterSeconds);

    /// <summary>What this session cannot tell any more, and what it told without being heard, goes to the terminal's next session.</summary>
    private async Task HandOver()
    {
        List<(string RequestId, PaymentView? Told)> mine;
        lock (gate)
        {
            mine = [.. (open?.Keys ?? Enumerable.Empty<string>()).Select(id => (id, (PaymentView?)null)), .. (unconfirmed ?? []).Select(u => (u.View.Id.RequestId, u.View))];
        }

        if (mine.Count > 0)
        {
            // A payment that does not answer, since the disk is full, must not hold the connection: it goes on, and nobody waits.
            await Task.WhenAll(mine.Select(m => HandOver(m.RequestId, m.Told))).WaitAsync(HandOverWithin, sessions.Clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The terminal may have logged in again before the ledger had this payment: then no welcome brings it, and it is told like this.</summary>
    private async Task HandOver(string requestId, PaymentView? told = null)
    {
        try
        {
            if ((told ?? (await Payment(requestId).Find(null)).View) is { } view)
            {
                await Terminal.PaymentChanged(view);
            }
        }
        catch (Exception e)
        {
            Fault(e, "HandOver");
        }
    }

    private CancellationToken Ending()
    {
        lock (gate)
        {
            ending ??= new CancellationTokenSource();
            if (state == SessionState.Ended)
            {
                ending.Cancel();
            }

            return ending.Token;
        }
    }

    private void CancelWaits()
    {
        lock (gate)
        {
            ending?.Cancel();
        }
    }
}
