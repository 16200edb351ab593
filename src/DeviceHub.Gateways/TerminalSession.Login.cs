using System.Security.Cryptography;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Gateways;

/// <summary>From hello to synced.</summary>
internal sealed partial class TerminalSession
{
    private const uint Version = 1;

    /// <summary>What is only needed until the welcome.</summary>
    private LoginAttempt? attempt;
    private string? token = token;

    private sealed record LoginAttempt(Hello Hello, byte[] HubNonce);

    private async ValueTask Hello(Hello hello)
    {
        if (state is not (SessionState.New or SessionState.Challenged or SessionState.AwaitingReceiver))
        {
            Refuse(new Core.Refusal(RefusalCode.Malformed, "hello comes once in a session"), null);
            return;
        }

        if (hello.ProtocolVersion != Version)
        {
            Refuse(new Core.Refusal(RefusalCode.Version, $"protocol_version must be {Version}"), null);
            return;
        }

        maxBytes = Math.Min(Math.Max(SmallestMax, (int)hello.MaxMessageBytes), wire.MaxMessageBytes);
        textEncoding = hello.TextEncoding == TextEncoding.Unspecified ? TextEncoding.None : hello.TextEncoding;
        speaks = hello.Capabilities.Contains("speech");
        attempt = new LoginAttempt(hello, RandomNumberGenerator.GetBytes(Login.NonceBytes));

        // Nothing can be answered before the terminal listens: the answer waits for it.
        state = SessionState.AwaitingReceiver;
        if (wire.CanReceive)
        {
            await Begin();
        }
    }

    private async ValueTask Begin()
    {
        if (attempt is not { } login || state != SessionState.AwaitingReceiver)
        {
            return;
        }

        if (token is { } presented && TerminalSessions.ToProof(serialNumber, presented) is { } proof)
        {
            await Connect(login, proof);
            return;
        }

        state = SessionState.Challenged;
        Send(new Downlink { Challenge = new() { HubNonce = ByteString.CopyFrom(login.HubNonce) } });
    }

    private ValueTask Prove(Proof proof)
    {
        var login = attempt!;
        var input = Login.ProofInput(wire.Name, serialNumber, login.Hello.HardwareId, login.HubNonce, login.Hello.TerminalNonce.Span);
        return Connect(login, new LoginProof(input, proof.Mac.ToByteArray(), null));
    }

    private async ValueTask Connect(LoginAttempt login, LoginProof proof)
    {
        state = SessionState.LoggingIn;
        var arrived = sessions.Clock.GetTimestamp();
        sessions.Link.Add(this);
        grainMayKnow = true;
        var answer = await Terminal.Connect(new ConnectRequest(
            epoch,
            sessions.Reference(),
            proof,
            Login.SealInput(serialNumber, login.HubNonce, login.Hello.TerminalNonce.Span),
            login.Hello.HardwareId,
            login.Hello.Firmware,
            wire.Remote?.ToString() ?? "",
            wire.Secure,
            login.Hello.Capabilities.Contains("collect")));
        if (answer.Refusal is { } refusal)
        {
            grainMayKnow = false;
            sessions.Link.Remove(this);
            await RefuseLogin(refusal, arrived);
            return;
        }

        seals = answer.Seals;
        sealKey = answer.SealKey!.Reveal();
        if (!BecomeLoggedIn())
        {
            // The connection ended meanwhile: the grain is not left with a session that nobody has.
            sessions.Link.Remove(this);
            await Terminal.Disconnect(epoch);
            return;
        }

        sessions.Wrong.Forget(serialNumber, wire.Remote);
        if (answer.Watchers is { } watchers)
        {
            // What was said before the login is of nobody known; hello is, now that it has been proved.
            Watch(watchers);
            talk?.Add(up: true, new Uplink { Hello = login.Hello }, MessageCodec.Encode(new Uplink { Hello = login.Hello }, encoding).Length, isSealed: false);
        }

        attempt = null;
        var byToken = token is not null;
        token = null;
        wire.LoggedIn();
        await Welcome(answer, byToken ? login.HubNonce : null);
    }

    private bool BecomeLoggedIn()
    {
        lock (gate)
        {
            if (state != SessionState.LoggingIn)
            {
                return false;
            }

            state = SessionState.LoggedIn;
            SessionMetrics.LoggedIn.Add(1);
            return true;
        }
    }

    private async ValueTask Welcome(ConnectAnswer answer, byte[]? hubNonce)
    {
        var views = await Unsettled(answer.Unsettled ?? []);
        var welcome = new Welcome
        {
            HubTimeMs = (ulong)sessions.Clock.GetUtcNow().ToUnixTimeMilliseconds(),
            SessionEpoch = (ulong)epoch,
            RequestEpoch = answer.RequestEpoch,
            HeartbeatIntervalS = (uint)sessions.TerminalOptions.HeartbeatIntervalSeconds,
            ConfigurationVersion = (ulong)answer.ConfigurationVersion,
            ConfigurationHash = answer.ConfigurationHash is { } hash ? ByteString.CopyFrom(hash) : ByteString.Empty,
            HubNonce = hubNonce is null ? ByteString.Empty : ByteString.CopyFrom(hubNonce),
            Unsettled = (uint)views.Count,
            MaxAmountFen = (ulong)answer.MaxAmountFen,
        };
        Send(new Downlink { Welcome = welcome });
        foreach (var view in views)
        {
            Tell(view, view.Id.RequestId, late: true);
        }

        Send(new Downlink { Synced = new() { Unsettled = (uint)views.Count } });
        SessionMetrics.Welcomes.Add(1);
        foreach (var view in views)
        {
            Follow(view, view.Id.RequestId, told: true, ofEarlierSession: true);
        }

        if (answer.PaymentsRefused is { } refused)
        {
            Refuse(refused, null);
        }

        TellWhatCameMeanwhile(answer.Collect);
        if (answer.ConfigurationDrifts || pushWaits)
        {
            await PushWhenIdle();
        }
    }

    /// <summary>Newest first; one that cannot be read now is not told, and stays unsettled for the next welcome.</summary>
    private async Task<List<PaymentView>> Unsettled(IReadOnlyList<string> requestIds)
    {
        var views = new List<PaymentView>(requestIds.Count);
        var finds = requestIds.Select(id => Payment(id).Find(null)).ToArray();
        foreach (var find in finds)
        {
            try
            {
                if ((await find).View is { } view)
                {
                    views.Add(view);
                }
            }
            catch (Exception e)
            {
                Fault(e, "Find");
            }
        }

        return views;
    }

    private async ValueTask Activate(Activate activate)
    {
        state = SessionState.LoggingIn;
        var arrived = sessions.Clock.GetTimestamp();
        if (sessions.Wrong.TakeCode(serialNumber, wire.Remote) is { } enough)
        {
            await RefuseLogin(enough, arrived);
            return;
        }

        ActivateAnswer answer;
        var wrong = false;
        try
        {
            answer = await Terminal.Activate(new ActivateRequest(new ActivationCode(activate.ActivationCode), attempt!.Hello.HardwareId, wire.Secure));
            wrong = answer.Refusal is not null && wire.Secure;
        }
        finally
        {
            if (!wrong)
            {
                sessions.Wrong.GiveBack(serialNumber, wire.Remote);
            }
        }

        if (answer.Refusal is { } refusal)
        {
            await RefuseLogin(refusal, arrived);
            return;
        }

        // The offer is proved in this session, or in the next one.
        state = SessionState.Challenged;
        Send(new Downlink
        {
            Offer = new()
            {
                TerminalKey = ByteString.CopyFrom(answer.Key!.Reveal().Span),
                MerchantName = WireMapping.Cut(answer.MerchantName, 64),
                StoreName = WireMapping.Cut(answer.StoreName, 64),
            },
        });
    }

    private async ValueTask RefuseLogin(Core.Refusal refusal, long arrived)
    {
        if (refusal.Code == RefusalCode.StaleSession)
        {
            Replace();
            return;
        }

        if (refusal.Code is RefusalCode.Credentials or RefusalCode.Activation && refusal.RetryAfter == default)
        {
            await sessions.Wrong.Delay(serialNumber, wire.Remote, arrived, Ending());
        }

        if (state != SessionState.Ended)
        {
            Refuse(refusal, null);
            End(refusal.Code is RefusalCode.Credentials or RefusalCode.Activation ? CutReason.Credentials
                : refusal.Code == RefusalCode.Busy ? CutReason.Fault : CutReason.Administrative);
        }
    }
}
