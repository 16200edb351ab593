using System.Collections.Concurrent;
using DeviceHub.Core;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Gateways;

/// <summary>
/// What all sessions of this process share: the grains, the link by which grains reach sessions, and one ticker for outcomes that
/// nobody has confirmed.
/// </summary>
internal sealed class TerminalSessions(
    IGrainFactory grains,
    TimeProvider clock,
    WrongAttempts wrong,
    IOptions<SessionOptions> options,
    IOptions<TerminalOptions> terminalOptions,
    ILogger<TerminalSession> logger) : ITerminalSessions, IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private const long MaxUnixSeconds = 253_402_300_799;

    private readonly ConcurrentDictionary<TerminalSession, byte> unconfirmed = new();
    private readonly Lock starting = new();
    private readonly GrainReferences<ITerminalGrain> terminals = new(grains);
    private readonly GrainReferences<IPaymentGrain> payments = new(grains);
    private readonly GrainReferences<IChargeGrain> charges = new(grains);
    private IGatewayLink? reference;
    private ITimer? ticker;
    private long lastEpoch;

    public ITerminalGrain Terminal(string serialNumber) => terminals.Of(serialNumber);

    public IPaymentGrain Payment(string serialNumber, string requestId) => payments.Of($"{serialNumber}/{requestId}");

    public IChargeGrain Charge(string chargeId) => charges.Of(chargeId);

    public TimeProvider Clock => clock;

    public WrongAttempts Wrong => wrong;

    public SessionOptions Options => options.Value;

    public TerminalOptions TerminalOptions => terminalOptions.Value;

    public ILogger Logger => logger;

    /// <summary>The object behind the reference: kept here, since Orleans holds observers weakly.</summary>
    public GatewayLink Link { get; } = new();

    public async ValueTask<bool> CheckToken(string serialNumber, string token, IWire wire)
    {
        var arrived = clock.GetTimestamp();
        if (ToProof(serialNumber, token) is { } proof
            && await Terminal(serialNumber).CheckToken(proof, wire.Secure) is null)
        {
            return true;
        }

        await wrong.Delay(serialNumber, wire.Remote, arrived, CancellationToken.None);
        return false;
    }

    public ITerminalSession Open(string serialNumber, string? token, IWire wire) => new TerminalSession(this, serialNumber, token, wire, NextEpoch());

    /// <summary>Made once, when the first terminal logs in: Orleans runs by then.</summary>
    public IGatewayLink Reference()
    {
        lock (starting)
        {
            return reference ??= grains.CreateObjectReference<IGatewayLink>(Link);
        }
    }

    public void Watch(TerminalSession session)
    {
        if (unconfirmed.TryAdd(session, 0) && ticker is null)
        {
            lock (starting)
            {
                ticker ??= clock.CreateTimer(_ => ResendDue(), null, Tick, Tick);
            }
        }
    }

    public void Unwatch(TerminalSession session) => unconfirmed.TryRemove(session, out _);

    public void Dispose() => ticker?.Dispose();

    /// <summary>Null: not a token at all.</summary>
    public static LoginProof? ToProof(string serialNumber, string token) =>
        Login.TryParseToken(token, out var seconds, out var mac) && seconds <= MaxUnixSeconds
            ? new LoginProof(Login.TokenInput(serialNumber, seconds), mac, DateTimeOffset.FromUnixTimeSeconds(seconds))
            : null;

    private void ResendDue()
    {
        var now = clock.GetUtcNow();
        foreach (var (session, _) in unconfirmed)
        {
            try
            {
                session.ResendDue(now);
            }
            catch (Exception e)
            {
                // A timer's callback: what leaves it ends the process.
                Unwatch(session);
                session.Break(e, nameof(ResendDue));
            }
        }
    }

    /// <summary>Milliseconds of Unix time and 12 bits of counter; never the same twice in a process. Above 2^53 from 2039 on: in JSON it is a string of digits.</summary>
    private long NextEpoch()
    {
        while (true)
        {
            var last = Volatile.Read(ref lastEpoch);
            var next = Math.Max(last + 1, clock.GetUtcNow().ToUnixTimeMilliseconds() << 12);
            if (Interlocked.CompareExchange(ref lastEpoch, next, last) == last)
            {
                return next;
            }
        }
    }
}

/// <summary>
/// References to the grains of one interface. The factory finds an interface's grain type by reflection at each call, which several
/// calls a payment would feel; here it is asked once.
/// </summary>
internal sealed class GrainReferences<TGrain>(IGrainFactory grains)
    where TGrain : class, IGrainWithStringKey
{
    private GrainReference? any;

    public TGrain Of(string key)
    {
        var known = any ??= (GrainReference)(object)grains.GetGrain<TGrain>(key);
        return (TGrain)grains.GetGrain(GrainId.Create(known.GrainId.Type, key), known.InterfaceType);
    }
}

/// <summary>Registration of what every wire needs; the wires register themselves.</summary>
public static class TerminalSessionRegistration
{
    public static IServiceCollection AddTerminalSessions(this IServiceCollection services)
    {
        services.AddOptionsSection<SessionOptions>(SessionOptions.Section)
            .Validate(o => o.ResendAfterSeconds.All(s => s is >= 1 and <= 3600) && o.ResendAfterSeconds.SequenceEqual(o.ResendAfterSeconds.Order()),
                "Session:ResendAfterSeconds must grow, each 1 to 3600");
        services.AddSingleton<WrongAttempts>();
        services.AddSingleton<ITerminalSessions, TerminalSessions>();
        return services;
    }
}
