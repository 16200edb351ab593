using DeviceHub.Core;
using DeviceHub.Core.Terminals;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Gateways;

/// <summary>
/// A terminal on one connection, whatever the wire: decodes, unseals, maps to the domain, asks the grains, and answers. Thousands
/// are idle in one process: what only a login or a payment needs is made when it is needed.
/// </summary>
internal sealed partial class TerminalSession(TerminalSessions sessions, string serialNumber, string? token, IWire wire, long epoch) : ITerminalSession
{
    /// <summary>Bytes of one message that every terminal takes.</summary>
    internal const int SmallestMax = 512;

    /// <summary>Guards what is sent (sealed sequence numbers go out in order) and what a session keeps of payments.</summary>
    private readonly Lock gate = new();
    private SessionState state;
    private WireEncoding encoding;
    private TextEncoding textEncoding = TextEncoding.None;
    private bool speaks;
    private bool seals = true;
    private bool refusalLogged;
    private bool replacedAfterLogin;

    /// <summary>It was told that it is suspended: its terminal takes no scan before its next login.</summary>
    private bool toldSuspended;

    /// <summary>The grain may take this session for its terminal's: it was asked to, and has not refused.</summary>
    private bool grainMayKnow;
    private int maxBytes = SmallestMax;
    private ReadOnlyMemory<byte> sealKey;
    private Sealer? opener;
    private Sealer? sealer;

    private enum SessionState : byte { New, AwaitingReceiver, Challenged, LoggingIn, LoggedIn, Ended }

    public string SerialNumber => serialNumber;

    public long Epoch => epoch;

    private ITerminalGrain Terminal => sessions.Terminal(serialNumber);

    private WireMapping.Terminal Reader => new(sessions.Options.Language, textEncoding, speaks);

    public ValueTask Receive(ReadOnlyMemory<byte> payload)
    {
        if (state == SessionState.Ended)
        {
            return ValueTask.CompletedTask;
        }

        var error = MessageCodec.TryDecode(payload.Span, out Uplink? message, out var form);
        if (state == SessionState.New)
        {
            encoding = form;
        }

        if (!error.Ok)
        {
            talk?.AddUnreadable(payload.Length, isSealed: false, error.Detail);
            Refuse(new Core.Refusal(RefusalCode.Malformed, error.Detail), null);
            return ValueTask.CompletedTask;
        }

        return Guarded(message!, payload.Length);
    }

    public void ReceiverReady()
    {
        if (state == SessionState.AwaitingReceiver)
        {
            _ = Guarded(null, 0).AsTask();
        }
    }

    /// <summary>A newer session took over: what still comes of this one is dropped.</summary>
    public void Replace()
    {
        grainMayKnow = false;
        SessionMetrics.Replaced.Add(1);
        End(CutReason.TakenOver);
    }

    public async ValueTask DisposeAsync()
    {
        bool tellsGrain;
        bool wasLoggedIn;
        lock (gate)
        {
            tellsGrain = grainMayKnow;
            wasLoggedIn = state == SessionState.LoggedIn || replacedAfterLogin;
            replacedAfterLogin = false;
            state = SessionState.Ended;
        }

        sessions.Link.Remove(this);
        sessions.Unwatch(this);
        EndTalk();
        CancelWaits();
        if (wasLoggedIn)
        {
            SessionMetrics.LoggedIn.Add(-1);
        }

        if (tellsGrain)
        {
            try
            {
                await Terminal.Disconnect(epoch);
            }
            catch (Exception e)
            {
                Fault(e, "Disconnect");
            }
        }

        await HandOver();
    }

    /// <summary>The one place where a grain's fault ends: a session never throws into its wire. Null: the receiver became ready.</summary>
    private async ValueTask Guarded(Uplink? message, int bytes)
    {
        try
        {
            await (message is null ? Begin() : Dispatch(message, bytes));
        }
        catch (Exception e)
        {
            Fault(e, message?.BodyCase.ToString() ?? "ReceiverReady");
            if (state is SessionState.LoggingIn or SessionState.AwaitingReceiver)
            {
                End(CutReason.Fault);
            }
        }
    }

    /// <param name="bytes">Of the payload that it came in.</param>
    private async ValueTask Dispatch(Uplink message, int bytes)
    {
        SessionMetrics.Count(SessionMetrics.Messages, "body", message.BodyCase.ToString());
        if (talk is { } watched && message.BodyCase != Uplink.BodyOneofCase.Sealed)
        {
            watched.Add(up: true, message, bytes, isSealed: false);
        }

        switch (message.BodyCase)
        {
            case Uplink.BodyOneofCase.Hello:
                await Hello(message.Hello);
                break;
            case Uplink.BodyOneofCase.Proof when state == SessionState.Challenged:
                await Prove(message.Proof);
                break;
            case Uplink.BodyOneofCase.Activate when state == SessionState.Challenged:
                await Activate(message.Activate);
                break;
            case var _ when state != SessionState.LoggedIn:
                Refuse(new Core.Refusal(RefusalCode.NotLoggedIn, "before this message: hello, proof, welcome"), null);
                break;
            case Uplink.BodyOneofCase.Heartbeat:
                await Heartbeat(message.Heartbeat);
                break;
            case Uplink.BodyOneofCase.ConfigurationReport:
                await Report(message.ConfigurationReport);
                break;
            case Uplink.BodyOneofCase.Sealed:
                await Unseal(message.Sealed, bytes);
                break;
            case Uplink.BodyOneofCase.Proof or Uplink.BodyOneofCase.Activate:
                Refuse(new Core.Refusal(RefusalCode.Malformed, "this session has logged in already"), null);
                break;
            case var _ when seals:
                SessionMetrics.Count(SessionMetrics.SealFaults, "fault", "plain");
                Refuse(new Core.Refusal(RefusalCode.UnsealedModel, "this model must seal payment messages"), null);
                break;
            default:
                await Money(message);
                break;
        }
    }

    private ValueTask Unseal(Sealed message, int bytes)
    {
        // Synchronously and in the order of arrival: sequence numbers only grow.
        SealFault fault;
        lock (gate)
        {
            fault = (opener ??= new Sealer(sealKey, SealDirection.Up)).Open(message);
        }

        if (fault != SealFault.None)
        {
            SessionMetrics.Count(SessionMetrics.SealFaults, "fault", fault.ToString());
            var wrong = fault == SealFault.Replayed ? "the sequence did not grow" : "the MAC is wrong";
            talk?.AddUnreadable(bytes, isSealed: true, wrong);
            Refuse(new Core.Refusal(RefusalCode.Seal, wrong), null);
            return ValueTask.CompletedTask;
        }

        var error = MessageCodec.TryDecode(message.Body.Span, out Uplink? inner, out _);
        if (!error.Ok || !MessageRules.IsMoney(inner!.BodyCase))
        {
            var why = error.Ok ? "only payment messages are sealed" : "in sealed: " + error.Detail;
            talk?.AddUnreadable(bytes, isSealed: true, why);
            Refuse(new Core.Refusal(RefusalCode.Malformed, why), null);
            return ValueTask.CompletedTask;
        }

        talk?.Add(up: true, inner, bytes, isSealed: true);
        return Money(inner);
    }

    private void Refuse(Core.Refusal refusal, string? requestId)
    {
        if (refusal.Code == RefusalCode.StaleSession)
        {
            Replace();
            return;
        }

        toldSuspended |= refusal.Code == RefusalCode.Suspended;
        SessionMetrics.Count(SessionMetrics.Refusals, "code", refusal.Code.ToString());
        if (!refusalLogged)
        {
            refusalLogged = true;
            LogRefusal(sessions.Logger, serialNumber, refusal.Code, refusal.Detail);
        }

        Send(new Downlink { Refusal = WireMapping.ToWire(refusal, requestId, Reader) }, money: requestId is not null);
    }

    /// <summary>Sends what fits what hello said; texts are left out before anything else is.</summary>
    private void Send(Downlink message, bool money = false)
    {
        var seal = money && seals && state == SessionState.LoggedIn;
        lock (gate)
        {
            byte[] payload;
            while (true)
            {
                payload = MessageCodec.Encode(message, encoding);
                if (seal && SealedSize(payload.Length, encoding) <= maxBytes)
                {
                    sealer ??= new Sealer(sealKey, SealDirection.Down);
                    payload = MessageCodec.Encode(new Downlink { Sealed = sealer.Seal(UnsafeByteOperations.UnsafeWrap(payload)) }, encoding);
                    break;
                }

                if (!seal && payload.Length <= maxBytes)
                {
                    break;
                }

                if (!WireMapping.Shorten(message))
                {
                    SessionMetrics.Count(SessionMetrics.TooLarge, "body", message.BodyCase.ToString());
                    LogTooLarge(sessions.Logger, serialNumber, message.BodyCase, maxBytes);
                    return;
                }
            }

            talk?.Add(up: false, message, payload.Length, seal);
            wire.TrySend(payload);
        }
    }

    /// <summary>An upper bound: body, sequence of at most 10 bytes (20 digits), MAC, and their frames; base64 in JSON.</summary>
    internal static int SealedSize(int body, WireEncoding encoding) => encoding == WireEncoding.Protobuf ? body + 32 : ((body + 2) / 3 * 4) + 80;

    private void End(CutReason reason)
    {
        lock (gate)
        {
            replacedAfterLogin |= state == SessionState.LoggedIn;
            state = SessionState.Ended;
        }

        CancelWaits();
        wire.Cut(reason);
    }

    /// <summary>Ends this session because of a fault that it must not share with others.</summary>
    public void Break(Exception e, string what)
    {
        Fault(e, what);
        End(CutReason.Fault);
    }

    private void Fault(Exception e, string what)
    {
        SessionMetrics.Count(SessionMetrics.GrainFaults, "call", what);
        LogFault(sessions.Logger, e, serialNumber, what);
    }

    [LoggerMessage(EventName = "SessionRefused", Level = LogLevel.Information, Message = "Terminal {SerialNumber} was refused: {Code}, {Detail}. More refusals of this session are only counted")]
    private static partial void LogRefusal(ILogger logger, string serialNumber, RefusalCode code, string detail);

    [LoggerMessage(EventName = "DownlinkTooLarge", Level = LogLevel.Warning, Message = "A {Body} for terminal {SerialNumber} does not fit its {MaxBytes} bytes and was not sent")]
    private static partial void LogTooLarge(ILogger logger, string serialNumber, Downlink.BodyOneofCase body, int maxBytes);

    [LoggerMessage(EventName = "SessionFault", Level = LogLevel.Error, Message = "{What} of terminal {SerialNumber} failed; nothing final was answered")]
    private static partial void LogFault(ILogger logger, Exception e, string serialNumber, string what);
}
