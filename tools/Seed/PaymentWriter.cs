using System.Collections.Concurrent;
using System.Globalization;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;

namespace DeviceHub.Tools.Seed;

/// <summary>Makes payments on one thread and puts them into the ledger on another.</summary>
internal sealed class PaymentWriter(SeedSetup setup, FleetPlan plan, Dictionary<string, ChannelAccount[]> accounts, HubKeys keys, HubDatabase database, ChargeWriter charges, Action<string> say)
{
    /// <summary>Made and handed over at once: few, so that they are forgotten while they are young.</summary>
    private const int PaymentsAHand = 200;

    /// <summary>A page that many of them change is written once.</summary>
    private const int HandsACommit = 100;

    /// <summary>Payments that nobody can settle: a few, all of the last hours, so that they are still asked about.</summary>
    private const int Stuck = 24;
    /// <summary>Of those with an order number: a till asked for it.</summary>
    private const double ChargedShare = 0.03;

    private static readonly TimeSpan StuckWithin = TimeSpan.FromHours(8);

    private readonly PaymentOptions options = new();
    private readonly Dice dice = new(setup.Seed * 7919);
    private readonly double[] business = Sum(plan.Terminals);
    private readonly SeedTerminal[] sure = [.. plan.Terminals.Where(t => t.Pays(setup.From) && t.Pays(setup.Until.AddMinutes(-5))).Take(1000)];

    /// <summary>How many were written; some look like a second scan and are refused, as in life.</summary>
    public async Task<int> Write(CancellationToken cancellation)
    {
        using var made = new BlockingCollection<Told[]>(boundedCapacity: 4);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var maker = Task.Run(
            () =>
            {
                try
                {
                    foreach (var some in Payments().Chunk(PaymentsAHand))
                    {
                        made.Add(some, stop.Token);
                    }
                }
                finally
                {
                    made.CompleteAdding();
                }
            },
            stop.Token);
        try
        {
            return Put(made.GetConsumingEnumerable(stop.Token));
        }
        finally
        {
            await stop.CancelAsync();
            await maker.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            if (maker.IsFaulted)
            {
                await maker;
            }
        }
    }

    private int Put(IEnumerable<Told[]> made)
    {
        using var book = new LedgerBook(database, new LedgerKeys(database, NullLogger<LedgerKeys>.Instance), new StorageOptions().KeyBatch);
        var (written, said, hands) = (0, 0, 0);
        Must(book.Begin());
        foreach (var payments in made)
        {
            foreach (var payment in payments)
            {
                written += Put(book, payment) ? 1 : 0;
            }

            if (++hands % HandsACommit == 0)
            {
                Must(book.Commit());
                Must(book.Begin());
            }

            if (written - said >= 100_000)
            {
                said = written;
                say(string.Create(CultureInfo.InvariantCulture, $"{written:n0} payments in the ledger"));
            }
        }

        Must(book.Commit());
        return written;
    }

    /// <summary>False: the ledger takes it for a second scan.</summary>
    private bool Put(LedgerBook book, Told payment)
    {
        Must(book.Write(payment.Items[0]));
        if (payment.Items[0].Result != WriteResult.Written)
        {
            return false;
        }

        foreach (var item in payment.Items.Skip(1))
        {
            Must(book.Write(item));
        }

        if (payment.State.Accepted.ChargeId is not null)
        {
            charges.Answered(payment.State);
        }

        return true;
    }

    private static void Must(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            throw new SeedException($"SQLite answered {code}: {raw.sqlite3_errstr(code).utf8_to_string()}");
        }
    }

    private IEnumerable<Told> Payments()
    {
        var late = 0;
        var share = Stuck / Math.Max(1.0, setup.Payments * (StuckWithin / (setup.Until - setup.From)));
        foreach (var at in PaymentTimes.Of(setup, dice))
        {
            var stuck = setup.Until - at < StuckWithin && late < Stuck && dice.Chance(share);
            late += stuck ? 1 : 0;
            yield return Payment(Payer(at), at, stuck);
        }
    }

    private Told Payment(SeedTerminal terminal, DateTimeOffset at, bool stuck)
    {
        var fen = Amount();
        var (wallet, code) = Code();
        var day = new DateTimeOffset(at.Date, TimeSpan.Zero);
        var requestId = string.Create(CultureInfo.InvariantCulture, $"{keys.RequestEpoch(terminal.SerialNumber, day)}-{++terminal.Payments:x4}");
        var orderNumber = dice.Chance(0.35) ? string.Create(CultureInfo.InvariantCulture, $"{at:yyyyMMddHHmmss}{dice.Digits(5)}") : null;
        var charge = orderNumber is not null && dice.Chance(ChargedShare) ? ChargeWriter.NewId(at, dice) : null;
        var request = new PaymentRequest(requestId, fen, "CNY", code, orderNumber, dice.Between(TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(250)), TimeSpan.FromSeconds(60), ChargeId: charge);
        var order = new PaymentOrder(
            new PaymentId(terminal.SerialNumber, requestId), request, wallet, terminal.Merchant.Id, terminal.Merchant.Name, terminal.Store.Id, at.AddSeconds(60));
        var own = accounts.GetValueOrDefault(terminal.Merchant.Id);
        var story = new PaymentStory(
            order, own ?? [ChannelAccountBook.Default(terminal.Merchant.Id, "sandbox")], Script.Make(dice, fen, stuck, own is not null), options);
        var items = story.Tell(keys, own is null ? "the merchant has no channel account, so the default channel sandbox takes it" : "the first by priority", at, setup.Until);
        return new Told(items, story.State);
    }

    private SeedTerminal Payer(DateTimeOffset at)
    {
        for (var tries = 0; tries < 8; tries++)
        {
            var found = Array.BinarySearch(business, dice.Share() * business[^1]);
            var terminal = plan.Terminals[Math.Min(found < 0 ? ~found : found, business.Length - 1)];
            if (terminal.Pays(at))
            {
                return terminal;
            }
        }

        return sure.Length > 0 ? dice.Of(sure) : plan.Terminals[0];
    }

    private long Amount()
    {
        // Mostly 8 to 120 yuan, seldom thousands; prices end as prices do.
        var normal = dice.Share() + dice.Share() + dice.Share() + dice.Share() - 2;
        var yuan = Math.Clamp((long)Math.Exp(3.3 + (normal * 1.9)), 1, 4_800);
        return (yuan * 100) + dice.Of<int>([0, 0, 0, 50, 80, 90, 99, dice.Below(100)]);
    }

    private (Wallet, PaymentCode) Code() => dice.Share() switch
    {
        < 0.55 => (Wallet.WeChat, new("13" + dice.Digits(16))),
        < 0.93 => (Wallet.Alipay, new("28" + dice.Digits(16))),
        _ => (Wallet.UnionPay, new("62" + dice.Digits(17))),
    };

    private static double[] Sum(List<SeedTerminal> terminals)
    {
        var sums = new double[terminals.Count];
        var sum = 0.0;
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i] = sum += terminals[i].Business;
        }

        return sums;
    }

    private sealed record Told(List<LedgerItem> Items, PaymentState State);
}
