using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>
/// One writer by hand against the simplest model of which payments there are and who holds which order: transactions that are rolled back before their commit and in it, after which
/// the same connection goes on; commits that nobody heard of; connections and hubs that begin anew, at any time while keys wait or are written.
/// </summary>
public sealed class LedgerBookTests : IDisposable
{
    private const int Transactions = 250;
    private const int Orders = 60;

    private readonly StorageFixture hub = new();
    private readonly Dictionary<PaymentId, Known> payments = [];
    private readonly Dictionary<string, PaymentId> holders = [];
    private readonly PreparedConnection reader;
    private bool commitFails;
    private Action? beforeCommit;

    public LedgerBookTests() => reader = new PreparedConnection(hub.Database.Connect(readOnly: true));

    public void Dispose()
    {
        reader.Dispose();
        hub.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(200)]
    public void Each_payment_and_each_holder_of_an_order_is_known_whatever_becomes_of_a_transaction(int keyBatch)
    {
        var dice = new Random((EnvironmentNumber.Of("DEVICEHUB_SEED", 1) * 1_000) + keyBatch);
        delegate_commit committing = _ =>
        {
            beforeCommit?.Invoke();
            return commitFails ? 1 : 0;
        };
        hub.Database.Connected = c => raw.sqlite3_commit_hook(c.Handle!, committing, null);
        var keys = new LedgerKeys(hub.Database, NullLogger<LedgerKeys>.Instance);
        var book = new LedgerBook(hub.Database, keys, keyBatch);
        for (var i = 0; i < Transactions; i++)
        {
            switch (dice.Next(12))
            {
                case 0:
                    // The hub's connection is not the one that committed: it knows nothing of it until it begins anew.
                    book.Dispose();
                    using (var unheard = new LedgerBook(hub.Database, new LedgerKeys(hub.Database, NullLogger<LedgerKeys>.Instance), keyBatch))
                    {
                        Transact(unheard, dice, null, i);
                    }

                    book = new LedgerBook(hub.Database, keys, keyBatch);
                    break;
                case 1:
                    book.Dispose();
                    keys = new LedgerKeys(hub.Database, NullLogger<LedgerKeys>.Instance);
                    book = new LedgerBook(hub.Database, keys, keyBatch);
                    break;
                default:
                    Transact(book, dice, keys, i);
                    break;
            }

            Check(keys, i);
        }

        book.Dispose();
        Check(new LedgerKeys(hub.Database, NullLogger<LedgerKeys>.Instance), Transactions);
        Assert.InRange(payments.Count, 200, 2_000);
        GC.KeepAlive(committing);
    }

    /// <param name="keys">What others see while it commits; null: nobody looks.</param>
    private void Transact(LedgerBook book, Random dice, LedgerKeys? keys, int step)
    {
        var (now, held) = (new Dictionary<PaymentId, Known>(payments), new Dictionary<string, PaymentId>(holders));
        var (before, added) = (KeysWritten(), 0);
        Assert.Equal(raw.SQLITE_OK, book.Begin());
        var onlyResults = dice.Next(4) == 0;
        for (var left = dice.Next(1, 20); left > 0; left--)
        {
            if (onlyResults || dice.Next(3) == 0)
            {
                if (now.Count > 0)
                {
                    End(book, now, held, dice);
                }
            }
            else
            {
                added += Accept(book, now, held, dice) ? 1 : 0;
            }
        }

        var fate = dice.Next(6);
        commitFails = fate == 1;
        Exception? fault = null;
        beforeCommit = keys is null || dice.Next(3) > 0 ? null : () => fault = Record.Exception(() => Check(keys, step));
        var committed = fate != 0 && book.Commit() == raw.SQLITE_OK;
        (commitFails, beforeCommit) = (false, null);
        Assert.Null(fault);
        if (!committed)
        {
            book.Rollback();
            return;
        }

        Assert.NotEqual(1, fate);
        Assert.True(added > 0 || KeysWritten() <= before, "results alone wrote keys");
        Assert.True(KeysWritten() - before <= 64 + (2 * added), "a commit wrote more keys than it should");
        payments.Clear();
        holders.Clear();
        foreach (var (id, known) in now)
        {
            payments.Add(id, known);
        }

        foreach (var (order, holder) in held)
        {
            holders.Add(order, holder);
        }
    }

    /// <summary>A new payment, or one that is there.</summary>
    private static bool Accept(LedgerBook book, Dictionary<PaymentId, Known> known, Dictionary<string, PaymentId> held, Random dice)
    {
        var id = dice.Next(6) == 0 && known.Count > 0 ? known.Keys.ElementAt(dice.Next(known.Count)) : new PaymentId($"T{dice.Next(5)}", $"r-{dice.Next()}");
        var order = dice.Next(3) == 0 ? $"A{dice.Next(Orders)}" : null;
        var item = new AcceptItem(StorageFixture.Accept(id.RequestId, id.SerialNumber, order: order));
        Assert.Equal(raw.SQLITE_OK, book.Write(item));
        if (known.ContainsKey(id))
        {
            Assert.Equal((WriteResult.Conflict, AcceptCollision.None), (item.Result, item.Collision));
            return false;
        }

        if (order is not null && held.TryGetValue(order, out var holder))
        {
            Assert.Equal((WriteResult.Conflict, holder), (item.Result, item.Other));
            return false;
        }

        Assert.Equal(WriteResult.Written, item.Result);
        known.Add(id, new Known(order, 1, IsPaid: false));
        if (order is not null)
        {
            held.Add(order, id);
        }

        return true;
    }

    /// <summary>The next entry of one of the newest, or of any: approved, declined, or shown.</summary>
    private static void End(LedgerBook book, Dictionary<PaymentId, Known> known, Dictionary<string, PaymentId> held, Random dice)
    {
        var id = known.Keys.ElementAt(dice.Next(dice.Next(2) == 0 ? Math.Max(0, known.Count - 8) : 0, known.Count));
        var payment = known[id];
        var paid = payment.Version == 1 ? dice.Next(4) == 0 : payment.IsPaid;
        var append = payment.Version == 1 ? (paid ? Approve(id) : Decline(id)) : Shown(id, paid, payment.Version + 1);
        var item = new AppendItem(append);
        Assert.Equal(raw.SQLITE_OK, book.Write(item));
        Assert.Equal(WriteResult.Written, item.Result);
        known[id] = payment with { Version = payment.Version + 1, IsPaid = paid };
        if (!paid && payment.Order is { } order && held.GetValueOrDefault(order) == id)
        {
            held.Remove(order);
        }
    }

    private void Check(LedgerKeys keys, int step)
    {
        foreach (var (id, known) in payments)
        {
            var number = keys.Find(reader, id);
            Assert.True(number is not null, $"{step}: {id} is not known");
            var entry = reader.Prepare("SELECT count(*) FROM payment_event WHERE payment = ?1 AND sn = ?2 AND request_id = ?3").Bind(1, number).Bind(2, id.SerialNumber).Bind(3, id.RequestId);
            Assert.Equal(known.Version, entry.Number());
        }

        for (var i = 0; i < Orders; i++)
        {
            PaymentId? holder = holders.TryGetValue($"A{i}", out var one) ? one : null;
            Assert.True(holder == keys.Holder(reader, new MerchantOrder("M1", $"A{i}")), $"{step}: A{i} is not held by {holder}");
        }
    }

    private long KeysWritten() => reader.Prepare("SELECT count(*) FROM payment_number").Number();

    private sealed record Known(string? Order, int Version, bool IsPaid);
}
