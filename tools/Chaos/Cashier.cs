using System.Globalization;
using DeviceHub.Tools.Demo;
using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.Tools.Chaos;

/// <summary>
/// One of the people at a terminal: scans, waits for what became of it, and scans again; now and then somebody cancels what is open, or
/// gives a part back. Chance is from a seed; when the hub answers is not.
/// </summary>
internal sealed class Cashier(VirtualTerminal terminal, TerminalBook book, HubClient hub, int lane, int lanes, int seed)
{
    /// <summary>Each asks the ChannelSandbox for a fault; its README has them. The others are paid, or meet a fault by chance.</summary>
    private static readonly int[] Endings = [1, 2, 10, 11, 12, 13, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 32, 33, 34, 35, 36, 38, 39, 40, 41, 42, 43, 44, 47, 48, 49, 50, 51, 52, 53, 54];

    /// <summary>So many that they take longer than a hub may take to start.</summary>
    private const int Tries = 150;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);

    private readonly Random random = new(seed);

    public async Task Work(CancellationToken closing)
    {
        for (var scan = 1; !closing.IsCancellationRequested && !book.IsFull; scan++)
        {
            // No two scans of a terminal in a row have the same amount, which would look like a second scan (I13).
            var number = (scan * lanes) + lane;
            var ending = random.Next(4) == 0 ? Endings[random.Next(Endings.Length)] : random.Next(60, 100);
            var order = random.Next(2) == 0 ? $"{terminal.SerialNumber}-{number}" : null;
            var paying = terminal.Pay((((number % 8000) + 1) * 100L) + ending, Code(), order, CancellationToken.None);
            if (random.Next(8) == 0)
            {
                await Cancel();
            }

            var paid = await paying;
            if (paid.Told == Told.Approved && random.Next(10) == 0)
            {
                await GiveBack(paid, paid.AmountFen / 2);
            }
        }
    }

    private string Code() => (random.Next(2) == 0 ? "13" : "28") + random.NextInt64(0, 10_000_000_000_000_000).ToString("d16", CultureInfo.InvariantCulture);

    /// <summary>Of a payment that the hub has acknowledged: a request that it may not know yet is no use to cancel.</summary>
    private async Task Cancel()
    {
        await Task.Delay(random.Next(600));
        if (terminal.OpenRequests.FirstOrDefault(id => book.Find(terminal.SerialNumber, id) is { WasAccepted: true }) is { } request)
        {
            try
            {
                await terminal.Cancel(request);
            }
            catch (Exception e) when (e is TerminalException or OperationCanceledException)
            {
                // The hub is dead at this moment; nothing was cancelled.
            }
        }
    }

    /// <summary>Asked for again with the same key until it is answered, as a merchant's software does: it is one refund.</summary>
    /// <exception cref="ChaosException">It was never taken.</exception>
    private async Task GiveBack(BookEntry paid, long fen)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await hub.Post($"/api/v1/payments/{paid.SerialNumber}/{paid.RequestId}/refunds", new { amountFen = fen, reason = "half of it was cold", idempotencyKey = paid.RequestId });
                return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or System.Text.Json.JsonException)
            {
                if (tries == Tries)
                {
                    throw new ChaosException($"a refund of {paid.SerialNumber}/{paid.RequestId} was not taken in {Tries} tries: {e.Message}");
                }

                await Task.Delay(Between);
            }
        }
    }
}
