using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using DeviceHub.Protocol.Wire;
using Cause = DeviceHub.Protocol.Wire.ReconnectCause.Types.Cause;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>
/// A terminal as firmware-protocol/README.md describes it, over MQTT: activates if it has no key, logs in by challenge, seals, repeats a
/// request under its one id until it is answered, keeps unsettled payments across connections, shows outcomes and says so, applies
/// configuration, collects what a till asks for, and beats. What it was told is in its book.
/// </summary>
public sealed partial class VirtualTerminal(TerminalSetup setup, TerminalBook book) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, OpenPayment> open = new();
    private readonly TerminalConfiguration configuration = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Vitals vitals = new(setup);
    private TerminalSession? session;
    private Task running = Task.CompletedTask;
    private int counter;

    public string SerialNumber => setup.SerialNumber;

    public TerminalSetup Setup => setup;

    /// <summary>The key that it logs in with; null until it has been offered one.</summary>
    public byte[]? Key { get; private set; } = setup.Key;

    /// <summary>Logged in, and everything missed has come.</summary>
    public bool IsSynced => Ready is not null;

    /// <summary>How often it connected; the first time included.</summary>
    public int Connections { get; private set; }

    public int OpenPayments => open.Count;

    /// <summary>Request ids of the open payments.</summary>
    public IReadOnlyCollection<string> OpenRequests => [.. open.Keys];

    public ulong ConfigurationVersion => configuration.Version;

    public IReadOnlyList<ConfigurationEntry> Configuration => configuration.Entries;

    /// <summary>Why the last connection ended or was not made.</summary>
    public string? LastFault { get; private set; }

    private TerminalSession? Ready => session is { Synced: true, Ended.IsCancellationRequested: false } ready ? ready : null;

    /// <summary>Switches it on.</summary>
    public void Start() => running = Task.Run(() => Live(stop.Token));

    /// <summary>Scans a code and follows the payment until the terminal knows what became of it.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or switched off; the payment stays open in the book.</exception>
    public async Task<BookEntry> Pay(long amountFen, string paymentCode, string? orderNumber = null, CancellationToken cancellation = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stop.Token);
        TerminalSession? ready;
        while ((ready = Ready) is null || collecting is not null)
        {
            await Task.Delay(20, either.Token);
        }

        return await Pay(ready, amountFen, paymentCode, orderNumber, null, either.Token);
    }

    private async Task<BookEntry> Pay(TerminalSession ready, long amountFen, string paymentCode, string? orderNumber, string? chargeId, CancellationToken cancellation)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{ready.Welcome.RequestEpoch}-{Interlocked.Increment(ref counter):x4}");
        var payment = new OpenPayment(id, amountFen, paymentCode, orderNumber, setup, chargeId);
        book.Change(SerialNumber, id, _ => new BookEntry(SerialNumber, id, amountFen, TimeProvider.System.GetUtcNow()));
        open[id] = payment;
        MaybeBreak();
        while (!payment.Done.Task.IsCompleted)
        {
            await Ask(payment, cancellation);
            await Task.WhenAny(payment.Done.Task, Task.Delay(100, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }

        return book.Find(SerialNumber, id)!;
    }

    /// <summary>The cashier wants it undone. The answer comes as an outcome.</summary>
    public Task Cancel(string requestId, CancellationToken cancellation = default) =>
        (session ?? throw new TerminalException("not connected")).Send(new Uplink { PaymentCancel = new PaymentCancel { RequestId = requestId } }, cancellation);

    /// <summary>Breaks the connection without a word, as a lost network does.</summary>
    public void BreakConnection() => session?.Break();

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
    }

    private async Task Live(CancellationToken off)
    {
        var wait = setup.BackOff;
        while (!off.IsCancellationRequested)
        {
            var refused = false;
            try
            {
                await using var mine = new TerminalSession(setup);
                session = mine;
                using var either = CancellationTokenSource.CreateLinkedTokenSource(off, mine.Ended);
                await mine.Connect(open.Keys, Connections == 0 ? BootReason.PowerOn : BootReason.Reconnect, either.Token);
                Connections++;
                await Serve(mine, () => wait = setup.BackOff, either.Token);
            }
            catch (OperationCanceledException)
            {
                refused = session!.HubClosed;
                LastFault = refused ? "the hub closed the connection" : "the connection broke";
                vitals.Reconnects(refused ? Cause.Closed : Cause.NoNetwork);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever it was, a terminal in the field has nobody who could restart it: it tells, waits and tries again.
                refused = true;
                LastFault = e.GetBaseException().Message;
                vitals.Reconnects(e is TerminalException ? Cause.Refused : Cause.Connect);
            }

            session = null;
            collecting = null;
            try
            {
                await Task.Delay(wait + (refused ? setup.Jitter * Random.Shared.NextDouble() : TimeSpan.Zero), off);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            wait = wait * 2 < setup.MaxBackOff ? wait * 2 : setup.MaxBackOff;
        }
    }

    private async Task Serve(TerminalSession mine, Action synced, CancellationToken cancellation)
    {
        var beating = Task.CompletedTask;
        while (true)
        {
            var message = await mine.Next(cancellation);
            switch (message.BodyCase)
            {
                case Downlink.BodyOneofCase.Challenge when Key is { } key:
                    await mine.Prove(key, message.Challenge.HubNonce, cancellation);
                    break;
                case Downlink.BodyOneofCase.Challenge:
                    await mine.Activate(setup.ActivationCode ?? throw new TerminalException("no key and no activation code"), message.Challenge.HubNonce, cancellation);
                    break;
                case Downlink.BodyOneofCase.Offer:
                    Key = message.Offer.TerminalKey.ToByteArray();
                    await mine.Prove(Key, mine.HubNonce, cancellation);
                    break;
                case Downlink.BodyOneofCase.Welcome:
                    mine.Welcome = message.Welcome;
                    break;
                case Downlink.BodyOneofCase.Synced:
                    mine.Synced = true;
                    synced();
                    beating = beating.IsCompleted ? Beat(mine, cancellation) : beating;
                    break;
                case Downlink.BodyOneofCase.ConfigurationChunk:
                    configuration.Take(message.ConfigurationChunk);
                    break;
                case Downlink.BodyOneofCase.ConfigurationCommit:
                    await mine.Send(new Uplink { ConfigurationReport = configuration.Commit(message.ConfigurationCommit) }, cancellation);
                    break;
                case Downlink.BodyOneofCase.Refusal:
                    Refused(mine, message.Refusal);
                    break;
                case Downlink.BodyOneofCase.Collect:
                    await Collect(mine, message.Collect, cancellation);
                    break;
                case Downlink.BodyOneofCase.CollectCancel:
                    collecting = collecting == message.CollectCancel.ChargeId ? null : collecting;
                    break;
                default:
                    await Money(mine, message, cancellation);
                    break;
            }
        }
    }

    private async Task Money(TerminalSession mine, Downlink message, CancellationToken cancellation)
    {
        switch (message.BodyCase)
        {
            case Downlink.BodyOneofCase.Accepted:
                Note(message.Accepted.RequestId, Told.Accepted);
                break;
            case Downlink.BodyOneofCase.InDoubt:
                Note(message.InDoubt.RequestId, Told.InDoubt);
                break;
            case Downlink.BodyOneofCase.Outcome:
                var outcome = message.Outcome;
                BookOutcome.Write(book, SerialNumber, outcome, open.GetValueOrDefault(outcome.RequestId)?.Age);
                if (open.TryRemove(outcome.RequestId, out var payment))
                {
                    payment.Done.TrySetResult();
                }

                await mine.Send(new Uplink { OutcomeShown = new OutcomeShown { RequestId = outcome.RequestId, Revision = outcome.Revision } }, cancellation);
                break;
        }
    }

    private void Note(string requestId, Told told)
    {
        if (open.TryGetValue(requestId, out var payment))
        {
            payment.InLedger = true;
            book.Change(SerialNumber, requestId, e => e! with { Told = e.Told > told ? e.Told : told, WasAccepted = true });
        }
    }

    private void Refused(TerminalSession mine, Refusal refusal)
    {
        if (!mine.Synced)
        {
            throw new TerminalException($"refused: {refusal.Code} {refusal.Detail}");
        }

        if (!open.TryGetValue(refusal.RequestId, out var payment))
        {
            return;
        }

        if (refusal.RetryAfterMs > 0)
        {
            payment.Wait = TimeSpan.FromMilliseconds(refusal.RetryAfterMs);
            return;
        }

        // A refusal is final only for a request that the ledger does not know; one that was accepted is asked about again.
        if (!payment.InLedger || refusal.Code == Refusal.Types.Code.UnknownPayment)
        {
            open.TryRemove(refusal.RequestId, out _);
            book.Change(SerialNumber, refusal.RequestId, e => e! with { Told = Told.Refused, Refusal = $"{refusal.Code}: {refusal.Detail}" });
            payment.Done.TrySetResult();
        }
    }

    private async Task Ask(OpenPayment payment, CancellationToken cancellation)
    {
        if (Ready is not { } mine || !payment.IsToAsk(mine))
        {
            return;
        }

        try
        {
            await mine.Send(payment.Ask(mine), cancellation);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The connection ended; the next one asks again.
        }
    }

    private void MaybeBreak()
    {
        if (Random.Shared.NextDouble() < setup.Network.Drop && session is { } mine)
        {
            _ = Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(0, 400)), stop.Token).ContinueWith(
                _ => mine.Break(), stop.Token, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }
    }

    /// <summary>At once, with how the connection came to be, and then as often as the hub's welcome asks.</summary>
    private async Task Beat(TerminalSession mine, CancellationToken cancellation)
    {
        try
        {
            TimeSpan? loggedInAfter = mine.Age;
            while (true)
            {
                await mine.Send(new Uplink { Heartbeat = vitals.Beat(configuration.Version, open.Count, loggedInAfter) }, cancellation);
                loggedInAfter = null;
                await Task.Delay(setup.HeartbeatEvery ?? TimeSpan.FromSeconds(Math.Max(30, mine.Welcome.HeartbeatIntervalS)), cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // The connection ended.
        }
    }
}
