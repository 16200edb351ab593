using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace DeviceHub.Storage;

/// <summary>
/// The tables of the search file. They are never migrated: a file of another <see cref="Shape"/> is made anew from the ledger.
/// </summary>
internal static class SearchSchema
{
    /// <summary>Of the columns' contents: whoever changes what one means, and not its name, counts up.</summary>
    private const int Meaning = 1;

    /// <summary>
    /// Times are Unix milliseconds. <c>shown</c> is how far the tables follow the ledger: the last row that they show, with what tells it from the
    /// same row of another ledger. What has no index of its own is looked for along IX_payment_time, in entries of some 40 bytes and not
    /// in rows; none of it but the channel ever changes, so a payment writes its entry once. An attempt's order number begins with the time, so
    /// the attempts of a day are a range of the key. A request id is found by its terminal in the ledger's own key, and the terminal by the epoch that the id
    /// begins with: a row for each of its sessions that had a payment, in the order of time, so that a payment costs one look at a page in memory. An index on
    /// request ids would write a page for each payment.
    /// </summary>
    public static readonly string Tables =
        $"""
        CREATE TABLE shown (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, sn TEXT NOT NULL, request_id TEXT NOT NULL, version INTEGER NOT NULL);
        CREATE TABLE payment (
          seq INTEGER NOT NULL PRIMARY KEY, serial_number TEXT NOT NULL, request_id TEXT NOT NULL, version INTEGER NOT NULL, accepted_at INTEGER NOT NULL,
          scan_age_ms INTEGER NOT NULL DEFAULT 0, merchant_id TEXT NOT NULL, store_id TEXT NOT NULL, amount_fen INTEGER NOT NULL, wallet INTEGER NOT NULL,
          code_last_four TEXT NOT NULL, order_number TEXT, stage INTEGER NOT NULL, result INTEGER NOT NULL, reason INTEGER NOT NULL, revision INTEGER NOT NULL,
          shown_revision INTEGER NOT NULL, paid_fen INTEGER NOT NULL, discount_fen INTEGER NOT NULL, refunded_fen INTEGER NOT NULL DEFAULT 0, final_at INTEGER,
          attempts INTEGER NOT NULL, needs_attention INTEGER NOT NULL DEFAULT 0, channel_order_number TEXT, channel TEXT, channel_account TEXT,
          channel_transaction TEXT, payer TEXT);
        CREATE INDEX IX_payment_time ON payment (accepted_at, seq, amount_fen, wallet, code_last_four, channel);
        CREATE INDEX IX_payment_serial_number_accepted_at ON payment (serial_number, accepted_at);
        CREATE INDEX IX_payment_merchant_id_accepted_at ON payment (merchant_id, accepted_at);
        CREATE INDEX IX_payment_store_id_accepted_at ON payment (store_id, accepted_at);
        CREATE INDEX IX_payment_result_accepted_at ON payment (result, accepted_at);
        CREATE INDEX IX_payment_order_number ON payment (order_number) WHERE order_number IS NOT NULL;
        CREATE INDEX IX_payment_channel_transaction ON payment (channel_transaction) WHERE channel_transaction IS NOT NULL;
        CREATE INDEX IX_payment_needs_attention ON payment (accepted_at) WHERE needs_attention;
        CREATE INDEX IX_payment_refunded ON payment (accepted_at) WHERE refunded_fen > 0 OR result = 4;
        CREATE INDEX IX_payment_in_doubt ON payment (accepted_at) WHERE stage = 4;
        CREATE INDEX IX_payment_not_shown ON payment (accepted_at) WHERE {SqlText.NotShown};
        CREATE TABLE request_epoch (epoch TEXT NOT NULL, serial_number TEXT NOT NULL, PRIMARY KEY (epoch, serial_number)) WITHOUT ROWID;
        CREATE TABLE payment_minute (
          minute INTEGER NOT NULL PRIMARY KEY, accepted INTEGER NOT NULL, approved INTEGER NOT NULL, declined INTEGER NOT NULL, not_charged INTEGER NOT NULL,
          refunded INTEGER NOT NULL, in_doubt INTEGER NOT NULL, approved_fen INTEGER NOT NULL, {string.Join(", ", PaymentMinutes.TimeColumns.Select(c => c + " INTEGER NOT NULL"))});
        CREATE TABLE attempt (
          account TEXT NOT NULL, order_number TEXT NOT NULL, payment_seq INTEGER NOT NULL, number INTEGER NOT NULL, money INTEGER NOT NULL, refunds INTEGER NOT NULL,
          PRIMARY KEY (account, order_number)) WITHOUT ROWID;
        CREATE TABLE attempt_refund (
          account TEXT NOT NULL, order_number TEXT NOT NULL, refund_number TEXT NOT NULL, amount_fen INTEGER NOT NULL, money INTEGER NOT NULL, started_at INTEGER NOT NULL,
          PRIMARY KEY (account, order_number, refund_number)) WITHOUT ROWID;
        CREATE INDEX IX_attempt_refund_account_started_at ON attempt_refund (account, started_at);
        CREATE TABLE terminal_trouble (
          serial_number TEXT NOT NULL PRIMARY KEY, payment_seq INTEGER NOT NULL, request_id TEXT NOT NULL, trouble INTEGER NOT NULL, counts_from INTEGER NOT NULL) WITHOUT ROWID;
        """;

    /// <summary>The file's <c>user_version</c>: other tables, another number; never 0, which a new file has.</summary>
    public static readonly int Shape = BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{Meaning}\n{Tables}"))) | 1;

    /// <summary>Ledger rows that are not shown yet. The ledger's end is read first, so 0 is said only when all that it had then is shown.</summary>
    public const string Behind = "SELECT max(0, coalesce((SELECT max(seq) FROM payment_event), 0) - coalesce((SELECT seq FROM shown), 0)) AS Value";
}
