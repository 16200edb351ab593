using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Faults;

/// <summary>A fault that was asked for: the next calls that fit have it.</summary>
internal sealed class ScriptedFault(Fault fault, Api? api, Channel? channel, string? order, int times)
{
    public Fault Fault => fault;

    public Api? Api => api;

    public Channel? Channel => channel;

    public string? Order => order;

    /// <summary>How many calls are left.</summary>
    public int Times { get; set; } = times;

    public bool Fits(Api called, Channel at, string number) =>
        (api is null || api == called) && (channel is null || channel == at) && (order is null || order == number);
}

/// <summary>Which call has which fault: what was asked for first, then what the amount says, then chance from a seed.</summary>
internal sealed class FaultPlan(SandboxOptions options)
{
    public const int MaxScripted = 1000;

    private static readonly string[] PayChances =
    [
        "reply-lost", "hang-closed", "charged-unseen", "not-found-first", "slow", "charged-late", "reset", "reset-not-charged", "status-charged", "status",
        "garbage", "garbage-not-charged", "half", "bad-signature", "forged-refusal", "password-paid", "password-refused", "password-closed",
        "reversal-ignored", "late-success", "system-error", "system-error-not-charged", "unknown-code", "no-funds",
    ];

    private static readonly string[] OtherChances = ["slow", "reset", "reset-not-charged", "status", "status-charged", "garbage", "half", "bad-signature", "hang"];

    private readonly List<ScriptedFault> scripted = [];
    private volatile int waiting;

    public double Rate { get; set; } = options.FaultRate;

    public int Seed { get; set; } = options.Seed;

    /// <summary>False: there is no room for more.</summary>
    public bool Script(ScriptedFault fault)
    {
        lock (scripted)
        {
            if (scripted.Count >= MaxScripted)
            {
                return false;
            }

            scripted.Add(fault);
            waiting = scripted.Count;
            return true;
        }
    }

    public void Clear()
    {
        lock (scripted)
        {
            scripted.Clear();
            waiting = 0;
        }
    }

    public IReadOnlyList<ScriptedFault> Scripted
    {
        get
        {
            lock (scripted)
            {
                return [.. scripted];
            }
        }
    }

    /// <param name="fen">0: the call has no amount.</param>
    public Fault? For(Api api, Channel channel, string number, long fen, int nth) =>
        (waiting > 0 ? NextScripted(api, channel, number) : null)
        ?? (api == Api.Pay && options.AmountFaults ? FaultTable.CodeRow(fen) is > 0 and var row ? new Fault("code") { Row = row } : FaultTable.ByAmount(fen) : null)
        ?? (Rate > 0 ? Chance(api, number, nth) : null);

    private Fault? NextScripted(Api api, Channel channel, string number)
    {
        lock (scripted)
        {
            var found = scripted.Find(s => s.Fits(api, channel, number));
            if (found is not null && --found.Times == 0)
            {
                scripted.Remove(found);
                waiting = scripted.Count;
            }

            return found?.Fault;
        }
    }

    /// <summary>The same seed, order number and call have the same fault.</summary>
    private Fault? Chance(Api api, string number, int nth)
    {
        var hash = 14695981039346656037UL ^ (uint)Seed;
        foreach (var c in number)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        hash = Mix(hash ^ ((ulong)api << 32) ^ (uint)nth);
        if ((hash >> 11) * (1.0 / (1UL << 53)) >= Rate)
        {
            return null;
        }

        var names = api == Api.Pay ? PayChances : OtherChances;
        return FaultTable.ByName[names[(int)(Mix(hash) % (uint)names.Length)]];
    }

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }
}
