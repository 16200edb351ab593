using System.Security.Cryptography;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using DeviceHub.Storage;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class ChannelAccountStoreTests : IDisposable
{
    private const string Secret = "192006250b4c09247ec02edce69f6a2d";

    private readonly StorageFixture hub = new();
    private readonly IDataProtectionProvider protection;
    private readonly ChannelAccountStore store;
    private readonly ChannelAccountBook book = new(Options.Create(new RoutingOptions()));

    public ChannelAccountStoreTests()
    {
        protection = DataProtectionProvider.Create(new DirectoryInfo(Path.Combine(hub.Folder, "keys")));
        store = new ChannelAccountStore(protection);
    }

    public void Dispose() => hub.Dispose();

    [Fact]
    public async Task Account_comes_back_as_saved_and_its_secret_is_not_in_the_file()
    {
        var account = await Saved("ca_1");
        await Load();
        var loaded = book.Known("ca_1")!;
        Assert.Equal((account.MerchantId, account.Channel, "1230000109", Secret, 1L), (loaded.MerchantId, loaded.Channel, loaded.Setting("merchantNumber"), loaded.Secret("apiKey")!.Reveal(), loaded.Version));
        Assert.Equal(Now, loaded.SecretsSince["apiKey"]);
        Assert.Equivalent(account.Terms, loaded.Terms, strict: true);
        Assert.Equal([loaded], book.Of("M1"));
        foreach (var file in Directory.GetFiles(hub.Folder, "hub*.db*"))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes);
            Assert.True(bytes.ToArray().AsSpan().IndexOf("192006250b4c"u8) < 0, $"{file} holds the secret");
        }
    }

    [Fact]
    public async Task Secret_that_was_moved_to_another_account_or_field_is_not_opened()
    {
        var account = await Saved("ca_1");
        var cipher = new AccountCipher(protection);
        var sealedSecret = cipher.Seal("ca_1", "apiKey", account.Secret("apiKey")!);
        Assert.Equal(Secret, cipher.Open("ca_1", "apiKey", sealedSecret).Reveal());
        Assert.Throws<CryptographicException>(() => cipher.Open("ca_2", "apiKey", sealedSecret));
        Assert.Throws<CryptographicException>(() => cipher.Open("ca_1", "apiKeyV3", sealedSecret));
        await Saved("ca_2");
        await hub.Writes.Run((db, stop) => db.Database.ExecuteSqlAsync($"UPDATE channel_account SET secrets = (SELECT secrets FROM channel_account WHERE id = 'ca_1') WHERE id = 'ca_2'", stop));
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Load());
        Assert.Contains("ca_2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_channel_gave_out_is_kept_for_the_account_that_asked_and_for_no_newer_one()
    {
        await Saved("ca_1");
        await Load();
        var before = book.Known("ca_1")!;
        var keeper = new ChannelAccountKeeper(store, book, hub.Writes, () => new PaymentChannels([new Giving()]), TimeProvider.System);
        var given = new Dictionary<string, SecretText> { ["terminal"] = new("T9"), ["apiKey"] = new("day two") };
        Assert.True(await keeper.Keep(before, given, default));
        var after = book.Find("ca_1")!;
        Assert.Equal(("T9", "day two", "1230000109", 2L), (after.Setting("terminal"), after.Secret("apiKey")!.Reveal(), after.Setting("merchantNumber"), after.Version));
        Assert.False(await keeper.Keep(before, given, default));
        Assert.Same(after, book.Find("ca_1"));
        Assert.DoesNotContain("day two", await hub.Reads.Run((db, stop) => db.Audit.Select(a => a.After).SingleAsync(stop)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_000_000L)]
    [InlineData(null)] // People look at it, and a limit may be set in the afternoon.
    public async Task What_an_account_took_today_is_known_again_after_a_restart(long? limit)
    {
        await Saved("ca_1", t => t with { DayLimitFen = limit });
        await Paid("request-1", "ca_1", 700, Now);
        await Paid("request-2", "ca_1", 11, Now.AddHours(-1));
        await Paid("request-3", "ca_1", 5000, Now.AddHours(-21));
        await Paid("request-4", "ca_2", 900, Now);
        await Paid("test-1", "ca_1", 3, Now);
        await hub.Ledger.Accept(Of("request-5", "ca_1", 300, Now), default);
        while (await hub.Projection.Step() > 0)
        {
        }

        var core = await Load();
        Assert.Equal(711, core.Standing(book.Known("ca_1")!, Now).TodayFen);
    }

    /// <summary>A day limit goes by it: whatever the search file shows of the day, and whether it can be read.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(700)]
    [InlineData(null)]
    public async Task What_an_account_took_today_is_whole_while_the_searchable_payments_are_behind(int? shown)
    {
        await Saved("ca_1");
        await hub.Ledger.Accept(Of("across", "ca_1", 40, Now), default);
        await hub.Ledger.Accept(Of("yesterday", "ca_1", 80, Now.AddHours(-23)), default);
        await Paid("shown", "ca_1", 700, Now);
        await Paid("late", "ca_1", 5000, Now.AddHours(-22));
        await Task.WhenAll(Enumerable.Range(0, 600).Select(i => hub.Ledger.Accept(Of($"open-{i}", "ca_1", 9000, Now), default).AsTask()));
        if (shown is { } rows)
        {
            hub.Options.Value.ProjectionBatch = Math.Max(1, rows);
            await (rows == 0 ? Task.CompletedTask : hub.Projection.Step());
        }
        else
        {
            Directory.CreateDirectory(hub.Search.File);
        }

        await Paid("after", "ca_1", 11, Now);
        await Paid("other", "ca_2", 3, Now);
        await hub.Ledger.Append(Approve(new PaymentId("T1", "across")));
        await hub.Ledger.Append(Approve(new PaymentId("T1", "yesterday")));

        var core = await Load();
        Assert.Equal(751, core.Standing(book.Known("ca_1")!, Now).TodayFen);
    }

    [Fact]
    public async Task Payment_that_nobody_can_read_does_not_keep_the_hub_from_starting()
    {
        await Saved("ca_1");
        await Paid("whole", "ca_1", 700, Now);
        await Paid("torn", "ca_1", 5, Now);
        await Paid("after", "ca_1", 40, Now);
        using (hub.Database.Gate.EnterBlocking())
        {
            HubDatabase.Execute(hub.Database.Writes.Connection, "UPDATE payment_event SET body = 'x' WHERE request_id = 'torn' AND version = 2");
        }

        var core = await Load();
        Assert.Equal(740, core.Standing(book.Known("ca_1")!, Now).TodayFen);
    }

    [Fact]
    public async Task Day_with_more_payments_than_one_read_has_time_for_does_not_keep_the_hub_from_starting()
    {
        await Saved("ca_1", t => t with { DayLimitFen = 1_000_000 });
        await Paid("request-1", "ca_1", 7, Now);
        while (await hub.Projection.Step() > 0)
        {
        }

        // All but one are of another merchant.
        HubDatabase.Execute(
            hub.Search.Writes.Connection,
            """
            WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
            INSERT INTO payment(seq, serial_number, request_id, version, accepted_at, merchant_id, store_id, amount_fen, wallet, code_last_four, stage, result,
              reason, revision, shown_revision, paid_fen, discount_fen, attempts, needs_attention, refunded_fen, channel_account)
            SELECT i, serial_number, 'other-' || i, version, accepted_at + i, merchant_id, store_id, amount_fen, wallet, code_last_four, stage, result,
              reason, revision, shown_revision, paid_fen, discount_fen, attempts, needs_attention, refunded_fen, iif(i = 60000, 'ca_1', 'M2')
            FROM n, payment WHERE seq = 1
            """);
        using var pool = new SearchPool(hub.Database, hub.Search, Options.Create(new StorageOptions { ReadTimeLimit = TimeSpan.FromMilliseconds(100) }), new WorkClock());
        var core = await Load(pool);
        Assert.Equal(14, core.Standing(book.Known("ca_1")!, Now).TodayFen);
    }

    [Fact]
    public async Task Payments_that_ran_when_the_hub_ended_count_for_the_day_limit_again_until_they_are_settled()
    {
        await Saved("ca_1", t => t with { DayLimitFen = 2500, Schedule = null });
        await Paid("paid", "ca_1", 700, Now);
        foreach (var (request, account, fen) in new[] { ("doubt", "ca_1", 1000L), ("flight", "ca_1", 500L), ("refused", "ca_1", 300L), ("elsewhere", "ca_2", 900L) })
        {
            await hub.Ledger.Accept(Of(request, account, fen, Now), default);
        }

        await hub.Ledger.Append(new(
            new("T1", "doubt"), 2, [new PayAnswered(Now.AddSeconds(1), 1, new ChannelVerdict(Verdict.Unknown, "timeout"))], [], Now.AddSeconds(5), new PaymentStanding(null, false, false)));
        await hub.Ledger.Append(Decline(new("T1", "refused")));

        var core = await Load();
        Assert.Equal(700, core.Standing(book.Known("ca_1")!, Now).TodayFen);
        Assert.Null(Choose(301));
        Assert.Equal("ca_1", Choose(300));

        core.Learn(Lesson("doubt", 1000, Verdict.Closed));
        Assert.Null(Choose(1301));
        core.Learn(Lesson("flight", 500, Verdict.Approved));
        Assert.Equal(1200, core.Standing(book.Known("ca_1")!, Now).TodayFen);
        Assert.Null(Choose(1301));
        Assert.Equal("ca_1", Choose(1300));

        string? Choose(long fen) => core.Choose(new("M1", "S1", Wallet.WeChat, fen, Now, [])).Account?.Id;

        static RouteLesson Lesson(string request, long fen, Verdict verdict) =>
            new("ca_1", EffectKind.Query, new ChannelVerdict(verdict, "X"), TimeSpan.FromSeconds(1), fen, Now, new PaymentId("T1", request));
    }

    private async Task Paid(string request, string account, long fen, DateTimeOffset at)
    {
        await hub.Ledger.Accept(Of(request, account, fen, at), default);
        await hub.Ledger.Append(Approve(new PaymentId("T1", request)));
    }

    private static LedgerAccept Of(string request, string account, long fen, DateTimeOffset at)
    {
        var accept = Accept(request, fen: fen);
        return accept with { Events = [(PaymentAccepted)accept.Events[0] with { At = at }, (AttemptStarted)accept.Events[1] with { At = at, Account = account }] };
    }

    private async Task<ChannelAccount> Saved(string id, Func<AccountTerms, AccountTerms>? terms = null)
    {
        var account = new ChannelAccount
        {
            Id = id, MerchantId = "M1", Channel = "giving",
            Terms = (terms ?? (t => t))(new AccountTerms { Name = "Tea", Wallets = [Wallet.WeChat], Schedule = new(AccountSchedule.ChinaName, [new([DayOfWeek.Monday], new(8, 30), new(22, 0))]) }),
        }.With(new Dictionary<string, string?> { ["merchantNumber"] = "1230000109", ["apiKey"] = Secret }, name => name == "apiKey", Now);
        await hub.Writes.Run(async (db, stop) =>
        {
            if (!await db.Merchants.AnyAsync(stop))
            {
                db.Merchants.Add(new MerchantRow { Id = "M1", Name = "Tea" });
            }

            store.Put(db, account, Now);
            await db.SaveChangesAsync(stop);
        });
        return account;
    }

    private async Task<RoutingCore> Load(SearchPool? pool = null)
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Now);
        var core = new RoutingCore(book, Options.Create(new RoutingOptions()), clock);
        var totals = new DayTotals(hub.Pool, hub.Keys, pool ?? hub.SearchPool, hub.Search, NullLogger<DayTotals>.Instance);
        await new ChannelAccountLoader(store, book, core, hub.Pool, totals, clock).StartAsync(default);
        return core;
    }

    /// <summary>A millisecond passes each time that it is looked at, so a read's time is the work that the database does for it.</summary>
    private sealed class WorkClock : TimeProvider
    {
        private long looks;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Interlocked.Increment(ref looks);
    }

    /// <summary>A channel that is never called.</summary>
    private sealed class Giving : IPaymentChannel
    {
        public string Name => "giving";

        public IReadOnlyList<AccountField> AccountFields { get; } =
        [
            new("merchantNumber", AccountFieldKind.Text, true, "The number."),
            new("apiKey", AccountFieldKind.Secret, true, "The key."),
            new("terminal", AccountFieldKind.Text, false, "The terminal's number."),
        ];

        public Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
