using System.Security.Cryptography;
using DeviceHub.Core.Charges;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Core.Terminals;

/// <summary>Logging in and activation.</summary>
internal sealed partial class TerminalGrain
{
    private const int MaxUnsettled = 20;

    /// <summary>Stands for the key of a terminal that has none, so that the answer takes as long.</summary>
    private static readonly byte[] NoKey = RandomNumberGenerator.GetBytes(32);

    private enum Which { None, Key, Offered }

    public Task<Refusal?> CheckToken(LoginProof proof, bool secure) => Task.FromResult(
        proof.TokenTime is null || Check(proof) == Which.None ? WrongCredentials() : null);

    public async Task<ConnectAnswer> Connect(ConnectRequest request)
    {
        for (var save = 0; save < MaxSaves; save++)
        {
            var which = Check(request.Proof);
            if (which == Which.None)
            {
                return new ConnectAnswer(WrongCredentials());
            }

            var refusal = JudgeLogin(request, which);
            if (refusal is { Code: RefusalCode.Hardware })
            {
                await KeepOtherHardware(request);
            }

            if (refusal is not null)
            {
                return new ConnectAnswer(refusal);
            }

            var seen = request.Secure ? null : request.Proof.TokenTime;
            if (which == Which.Key && record!.HardwareId is not null && seen is null)
            {
                return await TakeOver(request);
            }

            var now = clock.GetUtcNow();
            var next = which == Which.Offered
                ? record! with { Status = TerminalStatus.Active, Key = record.OfferedKey, OfferedKey = null, HardwareId = request.HardwareId, ActivatedAt = now }
                : record! with { HardwareId = request.HardwareId };
            next = seen is null ? next : next with { TokenUsed = seen };
            if (which == Which.Offered ? await store.SaveActivated(next, now) : await store.Save(next))
            {
                Keep(next with { Version = next.Version + 1 });
                if (which == Which.Offered)
                {
                    TerminalMetrics.Activated.Add(1);
                    LogActivated(serialNumber, request.HardwareId);
                }

                return await TakeOver(request);
            }

            TerminalMetrics.SavesRepeated.Add(1);
            await Reload();
        }

        return new ConnectAnswer(new Refusal(RefusalCode.Busy, "the terminal's record is being changed; try again", RetryAfter: TimeSpan.FromSeconds(1)));
    }

    public async Task<ActivateAnswer> Activate(ActivateRequest request)
    {
        if (!request.Secure)
        {
            return NotActivated("not over TLS");
        }

        if (ActivationCodes.Normalise(request.Code) is not { } code)
        {
            return NotActivated("not a code");
        }

        for (var save = 0; save < MaxSaves; save++)
        {
            if (record is { Status: not TerminalStatus.Registered })
            {
                return NotActivated($"the serial number is {record.Status}");
            }

            var now = clock.GetUtcNow();
            var grant = await store.ReserveActivation(keys.ActivationFingerprint(code), serialNumber, now);
            if (grant is null)
            {
                return NotActivated("no such code, or used up, expired or revoked");
            }

            var key = new SecretBytes(RandomNumberGenerator.GetBytes(32));
            var next = (record ?? new TerminalRecord { SerialNumber = serialNumber, Status = TerminalStatus.Registered, RegisteredAt = now }) with
            {
                OfferedKey = key,
                Model = grant.Model,
                MerchantId = grant.MerchantId,
                MerchantName = grant.MerchantName,
                StoreId = grant.StoreId,
                StoreName = grant.StoreName,
            };
            if (await store.Save(next))
            {
                Keep(next with { Version = next.Version + 1 });
                TerminalMetrics.Offers.Add(1);
                LogOffered(serialNumber, grant.StoreId);
                return new ActivateAnswer(null, key, grant.MerchantName, grant.StoreName);
            }

            TerminalMetrics.SavesRepeated.Add(1);
            await Reload();
        }

        return NotActivated("the record is being changed by others");
    }

    /// <summary>What a right key still does not open.</summary>
    private Refusal? JudgeLogin(ConnectRequest request, Which which)
    {
        if (record!.Status == TerminalStatus.Retired)
        {
            return new Refusal(RefusalCode.NotActive, "the terminal is retired");
        }

        if (which == Which.Key && record.HardwareId is { } bound && bound != request.HardwareId)
        {
            TerminalMetrics.OtherHardware.Add(1);
            LogOtherHardware(serialNumber, bound, request.HardwareId, request.Address);
            return new Refusal(RefusalCode.Hardware, "the key is bound to another hardware id");
        }

        return request.SessionEpoch < sessionEpoch ? Stale() : null;
    }

    /// <summary>The first until a person has seen to it: a board that tries for ever costs one write.</summary>
    private async Task KeepOtherHardware(ConnectRequest request) => await Change(r => r.OtherHardware is null && r.HardwareId != request.HardwareId
        ? (r with { OtherHardware = new OtherHardware(request.HardwareId, request.Address, clock.GetUtcNow()) }, null)
        : (null, null));

    private async Task<ConnectAnswer> TakeOver(ConnectRequest request)
    {
        // Read before anything is taken over: a login that fails here leaves the older session as it is.
        var now = clock.GetUtcNow();
        var unsettled = await ledger.Unsettled(serialNumber, now - TimeSpan.FromDays(options.Value.UnsettledDays), MaxUnsettled);
        var charge = request.Collects ? await charges.OpenOf(serialNumber) : null;
        if (connected && request.SessionEpoch > sessionEpoch)
        {
            TerminalMetrics.TakenOver.Add(1);
            link?.Cut(serialNumber, sessionEpoch);
        }

        sessionEpoch = request.SessionEpoch;
        connected = true;
        link = request.Link;
        collects = request.Collects;
        address = request.Address;
        DelayDeactivation(TimeSpan.FromHours(options.Value.ConnectedIdleHours));
        lastRequestEpoch = Math.Max(now.ToUnixTimeMilliseconds(), lastRequestEpoch + 1);
        Saw(null);
        TellWatchers();
        TerminalMetrics.Logins.Add(1);
        var terminal = record!;
        return new ConnectAnswer(
            null,
            new SecretBytes(HMACSHA256.HashData(terminal.Key!.Reveal().Span, request.SealInput)),
            options.Value.Seals(terminal.Model),
            keys.RequestEpoch(serialNumber, DateTimeOffset.FromUnixTimeMilliseconds(lastRequestEpoch)),
            terminal.DesiredVersion,
            terminal.DesiredHash,
            Drifts() && !Refuses(),
            Limit(terminal),
            unsettled.Count == 0 ? [] : [.. unsettled.Select(id => id.RequestId)],
            terminal.Status == TerminalStatus.Suspended ? Suspended() : null,
            charge,
            watchers is null ? null : Watchers());
    }

    private Which Check(LoginProof proof)
    {
        if (proof.TokenTime is { } at)
        {
            var distance = clock.GetUtcNow() - at;
            var usable = distance.Duration() <= TimeSpan.FromSeconds(options.Value.TokenLifetimeSeconds) && !(at <= record?.TokenUsed);
            return proof.Mac.Length == 16 && usable ? Matching(proof) : Dummy(proof);
        }

        return proof.Mac.Length == 32 ? Matching(proof) : Dummy(proof);
    }

    private Which Matching(LoginProof proof)
    {
        // Both are always computed, with stand-ins for what is missing: the time does not tell what is known here.
        var key = Matches(record?.Key, proof);
        var offered = Matches(record?.OfferedKey, proof);
        return key ? Which.Key : offered ? Which.Offered : Which.None;
    }

    private Which Dummy(LoginProof proof)
    {
        _ = Matching(proof with { Mac = new byte[32] });
        return Which.None;
    }

    private static bool Matches(SecretBytes? key, LoginProof proof)
    {
        Span<byte> mac = stackalloc byte[32];
        HMACSHA256.HashData(key is null ? NoKey : key.Reveal().Span, proof.Input, mac);
        return CryptographicOperations.FixedTimeEquals(mac[..Math.Min(proof.Mac.Length, 32)], proof.Mac) & key is not null;
    }

    private static Refusal WrongCredentials()
    {
        TerminalMetrics.WrongCredentials.Add(1);
        return new Refusal(RefusalCode.Credentials, "the credentials are not right");
    }

    /// <summary>The same answer for every reason, so that codes and serial numbers cannot be probed.</summary>
    private ActivateAnswer NotActivated(string why)
    {
        TerminalMetrics.Count(TerminalMetrics.ActivationsRefused, "why", why);
        LogNotActivated(serialNumber, why);
        return new ActivateAnswer(new Refusal(RefusalCode.Activation, "the activation code is not accepted"));
    }

    [LoggerMessage(EventName = "TerminalActivated", Level = LogLevel.Information, Message = "Terminal {SerialNumber} was activated with hardware {HardwareId}")]
    private partial void LogActivated(string serialNumber, string hardwareId);

    [LoggerMessage(EventName = "TerminalOffered", Level = LogLevel.Information, Message = "Terminal {SerialNumber} was offered a key for store {StoreId}")]
    private partial void LogOffered(string serialNumber, string storeId);

    [LoggerMessage(EventName = "ActivationRefused", Level = LogLevel.Warning, Message = "Activation of {SerialNumber} was refused: {Why}")]
    private partial void LogNotActivated(string serialNumber, string why);

    [LoggerMessage(EventName = "OtherHardware", Level = LogLevel.Warning,
        Message = "Terminal {SerialNumber} is bound to hardware {Bound} and was logged in to with its key by hardware {Other} from {Address}: possibly a cloned image. It was not admitted.")]
    private partial void LogOtherHardware(string serialNumber, string bound, string other, string address);
}
