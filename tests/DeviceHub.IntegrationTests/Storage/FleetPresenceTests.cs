using DeviceHub.Core;
using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class FleetPresenceTests
{
    private readonly FakeTimeProvider clock = new(Now);

    [Fact]
    public async Task Counts_lists_and_one_terminals_answer_are_the_same_definition()
    {
        using var hub = new StorageFixture();
        var presence = new FleetPresence(hub.SearchPool, Options.Create(hub.TerminalOptions), clock);
        var fleet = await Fleet(hub, 300);

        var heardAfter = TerminalPresence.HeardAfter(hub.TerminalOptions, Now);
        var states = fleet.ToDictionary(
            t => t.SerialNumber,
            t => TerminalPresence.Of(t.Status, t.Connected, t.HeardAt, t.CountsFrom <= Now ? t.Trouble : PaymentTrouble.None, heardAfter));
        Assert.Equal(4, states.Values.Distinct().Count());
        foreach (var state in Enum.GetValues<TerminalState>())
        {
            var atLeast = await hub.Reads.Search((db, stop) => db.Terminals.AtLeast(db, state, heardAfter, Now).Select(t => t.SerialNumber).ToListAsync(stop));
            var exactly = await hub.Reads.Search((db, stop) => db.Terminals.Exactly(db, state, heardAfter, Now).Select(t => t.SerialNumber).ToListAsync(stop));
            Assert.Equal(states.Where(s => s.Value >= state).Select(s => s.Key).Order(), atLeast.Order());
            Assert.Equal(states.Where(s => s.Value == state).Select(s => s.Key).Order(), exactly.Order());
        }

        var counts = await presence.Count();
        Assert.Equal(states.Values.Count(s => s >= TerminalState.Silent), counts.Connected);
        Assert.Equal(states.Values.Count(s => s >= TerminalState.Responsive), counts.Responsive);
        Assert.Equal(states.Values.Count(s => s == TerminalState.Payable), counts.Payable);
        Assert.Equal(states.Values.Count(s => s == TerminalState.Silent), counts.Silent);
        Assert.Equal(fleet.Count(t => t.Status == TerminalStatus.Active), counts.Active);
        Assert.Equal(fleet.Count(t => t.Status != TerminalStatus.Retired), counts.Total);
        foreach (var (sn, state) in states)
        {
            Assert.Equal(state, (await presence.Of(sn))!.State);
        }

        Assert.Null(await presence.Of("nobody"));
    }

    [Fact]
    public async Task A_terminal_whose_last_payment_is_in_doubt_is_not_payable_until_the_next_one_goes_well()
    {
        using var hub = new StorageFixture();
        var presence = new FleetPresence(hub.SearchPool, Options.Create(hub.TerminalOptions), clock);
        await Connect(hub, "T1");
        Assert.Equal(TerminalState.Payable, (await presence.Of("T1"))!.State);

        await hub.Ledger.Accept(Accept("request-1"), default);
        await hub.Ledger.Append(new LedgerAppend(
            new("T1", "request-1"), 2, [new PayAnswered(Now, 1, new ChannelVerdict(Verdict.Unknown, "timeout"))], [], null, new PaymentStanding(null, false, false)));
        await hub.Projection.Step();
        var doubtful = (await presence.Of("T1"))!;
        Assert.Equal((TerminalState.Responsive, PaymentTrouble.InDoubt, "request-1"), (doubtful.State, doubtful.Trouble, doubtful.TroublePayment));

        await Pay(hub, "request-2", Now.AddSeconds(10), shown: true);
        Assert.Equal(TerminalState.Payable, (await presence.Of("T1"))!.State);

        // The first is still asked about, and is not its last payment any more.
        await hub.Ledger.Append(new LedgerAppend(
            new("T1", "request-1"), 3, [new Queried(Now, 1, new ChannelVerdict(Verdict.Unknown, "timeout"))], [], null, new PaymentStanding(null, false, false)));
        await hub.Projection.Step();
        Assert.Equal(TerminalState.Payable, (await presence.Of("T1"))!.State);
    }

    [Fact]
    public async Task A_test_that_was_made_meanwhile_does_not_hide_that_the_last_payment_is_in_doubt()
    {
        using var hub = new StorageFixture();
        var presence = new FleetPresence(hub.SearchPool, Options.Create(hub.TerminalOptions), clock);
        await Connect(hub, "T1");
        await hub.Ledger.Accept(Accept("request-1"), default);
        await Pay(hub, "test-1", Now.AddSeconds(10), shown: false);
        await hub.Ledger.Append(new LedgerAppend(
            new("T1", "request-1"), 2, [new PayAnswered(Now, 1, new ChannelVerdict(Verdict.Unknown, "timeout"))], [], null, new PaymentStanding(null, false, false)));
        await hub.Projection.Step();

        var doubtful = (await presence.Of("T1"))!;
        Assert.Equal((TerminalState.Responsive, PaymentTrouble.InDoubt, "request-1"), (doubtful.State, doubtful.Trouble, doubtful.TroublePayment));
    }

    [Fact]
    public async Task An_outcome_that_is_not_shown_counts_after_its_time_and_not_before()
    {
        using var hub = new StorageFixture();
        var presence = new FleetPresence(hub.SearchPool, Options.Create(hub.TerminalOptions), clock);
        await Connect(hub, "T1");
        await Pay(hub, "request-1", Now, shown: false);
        Assert.Equal(TerminalState.Payable, (await presence.Of("T1"))!.State);

        clock.Advance(TimeSpan.FromSeconds(hub.TerminalOptions.ShownWithinSeconds + 1));
        Assert.Equal(PaymentTrouble.NotShown, (await presence.Of("T1"))!.Trouble);
        Assert.Equal(new FleetCounts(1, 1, 0, 1, 0, 0, 1), await presence.Count());

        await hub.Ledger.Append(Shown(new("T1", "request-1")));
        await hub.Projection.Step();
        Assert.Equal(new FleetCounts(1, 1, 1, 1, 0, 0, 1), await presence.Count());
    }

    [Fact]
    public async Task A_hub_that_starts_has_nobody_connected_and_tells_those_who_look_of_each_sighting()
    {
        using var hub = new StorageFixture();
        var presence = new FleetPresence(hub.SearchPool, Options.Create(hub.TerminalOptions), clock);
        var told = 0;
        using (hub.Feed.Watch(LiveFeed.Terminals, () => told++))
        using (hub.Feed.Watch(LiveFeed.Terminal("T1"), () => told += 10))
        {
            await Connect(hub, "T1");
        }

        // Its row, then its sighting.
        Assert.Equal(22, told);
        Assert.Equal(1, (await presence.Count()).Connected);

        await hub.LastSeen.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, (await presence.Count()).Connected);

        hub.LastSeen.Saw(new Sighting("T1", Now, null, null));
        hub.LastSeen.Saw(new Sighting("T1", Now, null, null, Connected: false));
        await hub.LastSeen.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(TerminalState.Offline, (await presence.Of("T1"))!.State);
    }

    private static async Task Connect(StorageFixture hub, string sn)
    {
        await hub.Terminals.Save(new TerminalRecord { SerialNumber = sn, Status = TerminalStatus.Active, Key = new SecretBytes(new byte[32]), RegisteredAt = Now });
        hub.LastSeen.Saw(new Sighting(sn, Now, "10.0.0.1", null));
        await hub.LastSeen.Flush();
    }

    private static async Task Pay(StorageFixture hub, string request, DateTimeOffset at, bool shown)
    {
        var accept = Accept(request);
        await hub.Ledger.Accept(accept with { Events = [((PaymentAccepted)accept.Events[0]) with { At = at }, accept.Events[1]] }, default);
        await hub.Ledger.Append(Approve(accept.Id));
        if (shown)
        {
            await hub.Ledger.Append(Shown(accept.Id));
        }

        await hub.Projection.Step();
    }

    private sealed record OneTerminal(string SerialNumber, TerminalStatus Status, bool Connected, DateTimeOffset? HeardAt, PaymentTrouble Trouble, DateTimeOffset CountsFrom);

    private static async Task<List<OneTerminal>> Fleet(StorageFixture hub, int size)
    {
        var random = new Random(7);
        var fleet = Enumerable.Range(0, size).Select(i =>
        {
            DateTimeOffset? heardAt = random.Next(6) == 0 ? null : Now.AddSeconds(-random.Next(1_200));
            return new OneTerminal(
                $"T{i:000}", random.Next(4) > 0 ? TerminalStatus.Active : (TerminalStatus)random.Next(1, 5), heardAt is not null && random.Next(4) > 0, heardAt,
                random.Next(3) > 0 ? PaymentTrouble.None : (PaymentTrouble)random.Next(1, 4), Now.AddSeconds(random.Next(-50, 50)));
        }).ToList();
        await hub.Writes.Run(async (db, stop) =>
        {
            foreach (var t in fleet)
            {
                db.Terminals.Add(new TerminalRow { SerialNumber = t.SerialNumber, Status = t.Status, RegisteredAt = Now, Version = 1 });
                if (t.HeardAt is { } at)
                {
                    db.LastSeen.Add(new LastSeenRow { SerialNumber = t.SerialNumber, At = at, Connected = t.Connected });
                }
            }

            await db.SaveChangesAsync(stop);
        });
        foreach (var t in fleet.Where(t => t.Trouble != PaymentTrouble.None))
        {
            hub.Search.Writes.Prepare("INSERT INTO terminal_trouble(serial_number, payment_seq, request_id, trouble, counts_from) VALUES (?1, 1, 'request', ?2, ?3)")
                .Bind(1, t.SerialNumber).Bind(2, (long)t.Trouble).Bind(3, t.CountsFrom).Run();
        }

        return fleet;
    }
}
