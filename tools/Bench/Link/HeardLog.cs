using DeviceHub.Protocol;
using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.Tools.Bench.Link;

/// <summary>What the hub's end does by itself; each can be switched off to see what the terminal makes of it.</summary>
internal sealed record LinkHabits
{
    public bool Replies { get; init; } = true;

    public bool Acknowledges { get; init; } = true;

    /// <summary>An ACK each second of silence.</summary>
    public bool Idles { get; init; } = true;

    /// <summary>CLOSE 0 each second while the link is down.</summary>
    public bool Calls { get; init; } = true;

    public bool TakesBaud { get; init; } = true;

    /// <summary>After a BAUD that was acknowledged; else this end stays at the first rate.</summary>
    public bool ChangesRate { get; init; } = true;

    /// <summary>The fastest rate that is granted; 0: none.</summary>
    public int GrantUpTo { get; init; }

    public int LargestPayload { get; init; } = 4096;

    public int RateIs(int granted, int first) => ChangesRate && granted > 0 ? granted : first;
}

/// <summary>A message of the terminal, opened and judged.</summary>
/// <param name="Message">What is within the seal, if there is one; null: no message.</param>
/// <param name="Error">Of <see cref="MessageRules"/>.</param>
/// <param name="Seal">Null: it was not sealed.</param>
/// <param name="SealSequence">Of the seal; 0: none.</param>
internal sealed record Said(Uplink? Message, DecodeError Error, SealFault? Seal, ulong SealSequence)
{
    public Uplink.BodyOneofCase Body => Message?.BodyCase ?? Uplink.BodyOneofCase.None;

    /// <summary>A good message that is under a good seal if it must be.</summary>
    public bool IsGood => Error.Ok && Message is not null && (!MessageRules.IsMoney(Body) || Seal == SealFault.None);
}

/// <summary>Something that came from the terminal.</summary>
/// <param name="Said">What a new DATA frame held; null for everything else.</param>
/// <param name="Rate">Of the line when it came, in baud.</param>
/// <param name="BootId">Of the link that was up when it came, or came up by it; 0: none was.</param>
/// <param name="Raw">The bytes between the zero bytes.</param>
internal sealed record Heard(ScannedFrame Frame, Said? Said, int Rate, uint BootId, byte[] Raw)
{
    public TimeSpan At => Frame.At;

    public FrameType Type => Frame.Type;

    public bool Is(FrameType type) => Frame.IsGood && Frame.Type == type;

    public bool IsSequenced => Frame.IsGood && Frame.Type is FrameType.Data or FrameType.Baud;

    public bool Has(Uplink.BodyOneofCase body) => Said?.Body == body;
}

/// <summary>What came from the terminal, in order, with a place up to which it was read. The oldest is forgotten in a long run. Thread-safe.</summary>
internal sealed class HeardLog
{
    private const int Kept = 20_000;

    private readonly Lock gate = new();
    private readonly List<Heard> heard = [];
    private int position;
    private TaskCompletionSource pulse = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(Heard one)
    {
        lock (gate)
        {
            heard.Add(one);
            if (heard.Count > Kept)
            {
                heard.RemoveRange(0, Kept / 2);
                position = Math.Max(0, position - (Kept / 2));
            }

            pulse.TrySetResult();
            pulse = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The next one that fits, after those that were read before; null: none within the time.</summary>
    public async Task<Heard?> Next(Func<Heard, bool> fits, TimeSpan within, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(within);
        while (true)
        {
            Task news;
            lock (gate)
            {
                while (position < heard.Count)
                {
                    if (fits(heard[position++]))
                    {
                        return heard[position - 1];
                    }
                }

                news = pulse.Task;
            }

            try
            {
                await news.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return null;
            }
        }
    }

    /// <summary>What came since a moment, read or not.</summary>
    public IReadOnlyList<Heard> Since(TimeSpan moment)
    {
        lock (gate)
        {
            return heard.FindAll(h => h.At >= moment);
        }
    }

    /// <summary>Reads up to here.</summary>
    public void Forget()
    {
        lock (gate)
        {
            position = heard.Count;
        }
    }
}
