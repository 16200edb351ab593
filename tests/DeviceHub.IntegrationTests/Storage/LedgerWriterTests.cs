using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class LedgerWriterTests
{
    private static readonly PaymentId First = new("T1", "request-1");

    [Fact]
    public async Task Ledger_gives_back_after_reopening_what_it_answered_as_written()
    {
        var folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;
        try
        {
            using (var before = new StorageFixture(folder: folder))
            {
                Assert.Equal(WriteResult.Written, (await before.Ledger.Accept(Accept("request-1"), default)).Result);
                Assert.Equal(WriteResult.Written, await before.Ledger.Append(Approve(First)));
            }

            using var after = new StorageFixture(folder: folder);
            var history = await after.Ledger.Read(First);
            Assert.Equal(2, history!.Version);
            Assert.Equal(
                [typeof(PaymentAccepted), typeof(AttemptStarted), typeof(PayAnswered), typeof(OutcomeReached)],
                history.Events.Select(e => e.GetType()));
            Assert.Equal([First], await after.Ledger.Unsettled("T1", Now.AddDays(-7), 20));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Ledger_gives_each_entry_its_own_answer_when_callers_write_at_once()
    {
        using var hub = new StorageFixture();
        var accepts = Enumerable.Range(0, 400).Select(i => Task.Run(async () =>
            (i, (await hub.Ledger.Accept(Accept($"request-{i % 200}"), default)).Result)));
        var answers = await Task.WhenAll(accepts);
        foreach (var pair in answers.GroupBy(a => a.i % 200))
        {
            Assert.Equal([WriteResult.Written, WriteResult.Conflict], pair.Select(a => a.Result).Order());
        }

        Assert.Equal(200, hub.Number("SELECT count(*) FROM payment_event"));
    }

    [Fact]
    public async Task Ledger_refuses_a_version_that_exists_or_leaves_a_gap()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1"), default);
        Assert.Equal(WriteResult.Conflict, await hub.Ledger.Append(Approve(First, version: 3)));
        Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Approve(First)));
        Assert.Equal(WriteResult.Conflict, await hub.Ledger.Append(Decline(First)));
        Assert.Equal(WriteResult.Conflict, await hub.Ledger.Append(Approve(new PaymentId("T1", "never-seen"))));
        Assert.Equal(2, (await hub.Ledger.Read(First))!.Version);
    }

    [Fact]
    public async Task Order_number_is_open_then_paid_for_ever_and_free_again_after_a_decline()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1", order: "A1"), default);
        Assert.Equal(new AcceptAnswer(WriteResult.Conflict, AcceptCollision.OrderOpen, First), await hub.Ledger.Accept(Accept("request-2", "T2", order: "A1"), default));
        Assert.Equal(new AcceptAnswer(WriteResult.Conflict), await hub.Ledger.Accept(Accept("request-1", order: "A1"), default));
        await hub.Ledger.Append(Decline(First));
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-2", "T2", order: "A1"), default)).Result);
        var second = new PaymentId("T2", "request-2");
        await hub.Ledger.Append(Approve(second));
        await hub.Ledger.Append(Shown(second));
        Assert.Equal(new AcceptAnswer(WriteResult.Conflict, AcceptCollision.OrderPaid, second), await hub.Ledger.Accept(Accept("request-3", order: "A1"), default));
        Assert.Null(await hub.Ledger.Read(new PaymentId("T1", "request-3")));
    }

    [Fact]
    public async Task Same_amount_again_is_a_possible_duplicate_until_it_is_shown_or_a_person_says_otherwise()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1", check: true), default);
        Assert.Equal(
            new AcceptAnswer(WriteResult.Conflict, AcceptCollision.PossibleDuplicate, First),
            await hub.Ledger.Accept(Accept("request-2", check: true), default));
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-3", check: true, fen: 101), default)).Result);
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-4", "T2", check: true), default)).Result);
        Assert.Equal(new AcceptAnswer(WriteResult.Conflict), await hub.Ledger.Accept(Accept("request-1", check: true), default));
        await hub.Ledger.Append(Approve(First));
        Assert.Equal(AcceptCollision.PossibleDuplicate, (await hub.Ledger.Accept(Accept("request-5", check: true), default)).Collision);
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-6", check: true, allowed: "request-1"), default)).Result);
        await hub.Ledger.Append(Shown(First));
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-7", check: true, allowed: "request-6"), default)).Result);
    }

    [Fact]
    public async Task Channel_order_number_is_never_taken_twice()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1", channelOrder: "SAME"), default);
        Assert.Equal(WriteResult.NotWritten, (await hub.Ledger.Accept(Accept("request-2", channelOrder: "SAME"), default)).Result);
        Assert.Equal(WriteResult.NotWritten, await hub.Ledger.Append(Approve(First) with { ChannelOrderNumbers = ["SAME"] }));
        Assert.Equal(1, hub.Number("SELECT count(*) FROM payment_event"));
    }

    [Fact]
    public async Task Payment_is_found_by_every_attempts_number_as_soon_as_it_is_written()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1", channelOrder: "ONE"), default);
        await hub.Ledger.Append(Approve(First) with { ChannelOrderNumbers = ["TWO"] });
        Assert.Equal(First, await hub.Ledger.FindByChannelOrder("ONE"));
        Assert.Equal(First, await hub.Ledger.FindByChannelOrder("TWO"));
        Assert.Null(await hub.Ledger.FindByChannelOrder("THREE"));
    }

    [Fact]
    public async Task Payment_is_due_until_nothing_is_left_and_again_when_something_comes_late()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1"), default);
        Assert.Empty(await hub.Ledger.Due(Now.AddSeconds(29), 10));
        Assert.Equal([First], await hub.Ledger.Due(Now.AddSeconds(30), 10));
        await hub.Ledger.Append(Decline(First));
        await hub.Ledger.Append(Shown(First, paid: false));
        Assert.Equal(0, hub.Number("SELECT count(*) FROM live_payment"));
        await hub.Ledger.Append(new LedgerAppend(
            First, 4, [new AttentionNeeded(Now, "late")], [], Now.AddHours(1), new PaymentStanding(Now.AddSeconds(1), false, false)));
        Assert.Equal([First], await hub.Ledger.Due(Now.AddHours(1), 10));
        Assert.Equal([First], await hub.Ledger.Unsettled("T1", Now.AddDays(-7), 20));
        Assert.Empty(await hub.Ledger.Unsettled("T1", Now.AddDays(1), 20));
    }

    [Fact]
    public async Task Tests_take_no_place_among_what_a_terminal_must_be_told()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1"), default);
        await hub.Ledger.Accept(Accept("test-1") with { AcceptedAt = Now.AddSeconds(1) }, default);
        Assert.Equal([First], await hub.Ledger.Unsettled("T1", Now.AddDays(-7), 1));
        Assert.Equal([First], await hub.Ledger.Unsettled("T1", Now.AddDays(-7), 20));
    }

    [Fact]
    public async Task Accept_that_waits_is_withdrawn_by_its_token_and_is_never_written()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("warm-up"), default);
        using var cancel = new CancellationTokenSource();
        ValueTask<AcceptAnswer> first, second;
        using (await hub.Database.Gate.Enter())
        {
            // The writer takes the first and waits at the gate with it; the second stays in the queue.
            first = hub.Ledger.Accept(Accept("request-1"), default);
            Assert.True(SpinWait.SpinUntil(() => hub.Ledger.Waiting.Accepts == 0, TimeSpan.FromSeconds(10)));
            second = hub.Ledger.Accept(Accept("request-2"), cancel.Token);
            await cancel.CancelAsync();
            Assert.Equal(WriteResult.NotWritten, (await second).Result);
        }

        Assert.Equal(WriteResult.Written, (await first).Result);
        await hub.Ledger.Accept(Accept("request-3"), default);
        Assert.Null(await hub.Ledger.Read(new PaymentId("T1", "request-2")));
    }

    [Fact]
    public async Task Full_queue_answers_at_once_that_nothing_was_written()
    {
        using var hub = new StorageFixture(o => o.AcceptQueue = 1);
        await hub.Ledger.Accept(Accept("warm-up"), default);
        using (await hub.Database.Gate.Enter())
        {
            _ = hub.Ledger.Accept(Accept("request-1"), default).AsTask();
            Assert.True(SpinWait.SpinUntil(() => hub.Ledger.Waiting.Accepts == 0, TimeSpan.FromSeconds(10)));
            _ = hub.Ledger.Accept(Accept("request-2"), default).AsTask();
            Assert.Equal(WriteResult.NotWritten, (await hub.Ledger.Accept(Accept("request-3"), default)).Result);
        }
    }
}
