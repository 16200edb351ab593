using System.Diagnostics;
using System.Globalization;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>What a fleet does, in lines: one every 5 s, and a summary.</summary>
internal sealed class FleetReport(Fleet fleet, TextWriter output)
{
    private const int SettleSeconds = 60;
    private const int ShownFaults = 20;
    private const int ShownTerminals = 3;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private readonly long began = Stopwatch.GetTimestamp();

    /// <summary>Until the time is over or somebody ends it, and then until everything is settled, at most 60 s.</summary>
    public async Task Watch(TimeSpan duration, ClosingTime closing)
    {
        output.WriteLine("   time   ready   payments  approved  declined  not charged  refunded  refused  open     p50 ms   p99 ms");
        await Wait(duration, () => false, closing.Scanning);
        fleet.StopScanning();
        output.WriteLine("scanning has ended; waiting for what is open");
        await Wait(TimeSpan.FromSeconds(SettleSeconds), () => fleet.IsQuiet, closing.Settling);
    }

    /// <returns>Whether payments were made, all are settled, and no answer contradicts another.</returns>
    public bool Summary()
    {
        Line();
        var entries = fleet.Book.Entries;
        var contradictions = entries.Where(e => e.Contradiction is not null).ToList();
        var open = entries.Where(e => !e.IsSettled).ToList();
        foreach (var entry in contradictions.Take(ShownFaults))
        {
            output.WriteLine($"CONTRADICTION {entry.SerialNumber}/{entry.RequestId}: {entry.Contradiction}");
        }

        foreach (var entry in open.Take(ShownFaults))
        {
            output.WriteLine($"NOT SETTLED {entry.SerialNumber}/{entry.RequestId}: {entry.AmountFen} fen, told {entry.Told}");
        }

        output.WriteLine(
            entries.Count == 0 ? "no payment was made"
            : open.Count + contradictions.Count == 0 ? "every payment is settled, and no answer contradicts another"
            : $"{open.Count} payments are not settled, {contradictions.Count} contradictions");
        return entries.Count > 0 && open.Count + contradictions.Count == 0;
    }

    private async Task Wait(TimeSpan atMost, Func<bool> done, CancellationToken over)
    {
        var from = Stopwatch.GetTimestamp();
        var said = Stopwatch.GetTimestamp();
        while (!over.IsCancellationRequested && !done() && Stopwatch.GetElapsedTime(from) < atMost)
        {
            await Task.Delay(100, CancellationToken.None);
            if (Stopwatch.GetElapsedTime(said) >= Every)
            {
                said = Stopwatch.GetTimestamp();
                Line();
            }
        }
    }

    private void Line()
    {
        var tally = BookTally.Of(fleet.Book.Entries);
        var ready = $"{fleet.Terminals.Count(t => t.IsSynced)}/{fleet.Terminals.Count}";
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Stopwatch.GetElapsedTime(began):h\\:mm\\:ss}  {ready,7}  {tally.Payments,8}  {tally.Approved,8}  {tally.Declined,8}  {tally.NotCharged,11}  {tally.Refunded,8}  {tally.Refused,7}  {tally.Open,4}  {tally.P50Ms,9:0.0}  {tally.P99Ms,7:0.0}"));
        foreach (var terminal in fleet.Terminals.Where(t => !t.IsSynced && t.LastFault is not null).Take(ShownTerminals))
        {
            output.WriteLine($"         {terminal.SerialNumber} is not ready: {terminal.LastFault}");
        }
    }
}
