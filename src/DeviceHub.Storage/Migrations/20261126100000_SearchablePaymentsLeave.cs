using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <summary>What is made from the ledger is in the search file from here on (<c>SearchFile</c>), which the hub makes anew at its next start.</summary>
    [DbContext(typeof(HubDbContext))]
    [Migration("20261126100000_SearchablePaymentsLeave")]
    public partial class SearchablePaymentsLeave : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            foreach (var table in (string[])["payment", "payment_minute", "attempt", "attempt_refund", "terminal_trouble", "projection_cursor"])
            {
                migrationBuilder.DropTable(name: table);
            }

            // The ledger's fence was a row among the cursors. Written by a prepared statement alone, so the model does not have it.
            migrationBuilder.Sql("CREATE TABLE ledger_fence (id INTEGER NOT NULL CONSTRAINT PK_ledger_fence PRIMARY KEY, commits INTEGER NOT NULL);");
        }

        /// <summary>As they were, and empty: the hub that they are for fills them from its ledger.</summary>
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "ledger_fence");
            migrationBuilder.Sql(
                """
                CREATE TABLE projection_cursor (name TEXT NOT NULL CONSTRAINT PK_projection_cursor PRIMARY KEY, seq INTEGER NOT NULL);
                CREATE TABLE payment (
                    seq INTEGER NOT NULL CONSTRAINT PK_payment PRIMARY KEY, serial_number TEXT NOT NULL, request_id TEXT NOT NULL, version INTEGER NOT NULL,
                    accepted_at INTEGER NOT NULL, merchant_id TEXT NOT NULL, store_id TEXT NOT NULL, amount_fen INTEGER NOT NULL, wallet INTEGER NOT NULL,
                    code_last_four TEXT NOT NULL, order_number TEXT NULL, stage INTEGER NOT NULL, result INTEGER NOT NULL, reason INTEGER NOT NULL,
                    revision INTEGER NOT NULL, shown_revision INTEGER NOT NULL, paid_fen INTEGER NOT NULL, discount_fen INTEGER NOT NULL, final_at INTEGER NULL,
                    attempts INTEGER NOT NULL, channel_order_number TEXT NULL, channel TEXT NULL, channel_transaction TEXT NULL, payer TEXT NULL,
                    needs_attention INTEGER NOT NULL DEFAULT 0, refunded_fen INTEGER NOT NULL DEFAULT 0, channel_account TEXT NULL, scan_age_ms INTEGER NOT NULL DEFAULT 0);
                CREATE INDEX IX_payment_time ON payment (accepted_at, seq, amount_fen, wallet, code_last_four, channel, request_id);
                CREATE INDEX IX_payment_serial_number_accepted_at ON payment (serial_number, accepted_at);
                CREATE INDEX IX_payment_merchant_id_accepted_at ON payment (merchant_id, accepted_at);
                CREATE INDEX IX_payment_store_id_accepted_at ON payment (store_id, accepted_at);
                CREATE INDEX IX_payment_result_accepted_at ON payment (result, accepted_at);
                CREATE INDEX IX_payment_order_number ON payment (order_number) WHERE order_number IS NOT NULL;
                CREATE INDEX IX_payment_channel_transaction ON payment (channel_transaction) WHERE channel_transaction IS NOT NULL;
                CREATE INDEX IX_payment_needs_attention ON payment (accepted_at) WHERE needs_attention;
                CREATE INDEX IX_payment_refunded ON payment (accepted_at) WHERE refunded_fen > 0 OR result = 4;
                CREATE INDEX IX_payment_in_doubt ON payment (accepted_at) WHERE stage = 4;
                CREATE TABLE payment_minute (
                    minute INTEGER NOT NULL CONSTRAINT PK_payment_minute PRIMARY KEY, accepted INTEGER NOT NULL, approved INTEGER NOT NULL,
                    declined INTEGER NOT NULL, not_charged INTEGER NOT NULL, refunded INTEGER NOT NULL, in_doubt INTEGER NOT NULL, approved_fen INTEGER NOT NULL,
                    ms_50 INTEGER NOT NULL, ms_100 INTEGER NOT NULL, ms_150 INTEGER NOT NULL, ms_200 INTEGER NOT NULL, ms_300 INTEGER NOT NULL,
                    ms_400 INTEGER NOT NULL, ms_500 INTEGER NOT NULL, ms_700 INTEGER NOT NULL, ms_1000 INTEGER NOT NULL, ms_1500 INTEGER NOT NULL,
                    ms_2000 INTEGER NOT NULL, ms_3000 INTEGER NOT NULL, ms_5000 INTEGER NOT NULL, ms_7000 INTEGER NOT NULL, ms_10000 INTEGER NOT NULL,
                    ms_15000 INTEGER NOT NULL, ms_20000 INTEGER NOT NULL, ms_30000 INTEGER NOT NULL, ms_60000 INTEGER NOT NULL, ms_over INTEGER NOT NULL);
                CREATE TABLE attempt (
                    account TEXT NOT NULL, order_number TEXT NOT NULL, payment_seq INTEGER NOT NULL, number INTEGER NOT NULL, money INTEGER NOT NULL,
                    refunds INTEGER NOT NULL, CONSTRAINT PK_attempt PRIMARY KEY (account, order_number)) WITHOUT ROWID;
                CREATE TABLE attempt_refund (
                    account TEXT NOT NULL, order_number TEXT NOT NULL, refund_number TEXT NOT NULL, amount_fen INTEGER NOT NULL, money INTEGER NOT NULL,
                    started_at INTEGER NOT NULL, CONSTRAINT PK_attempt_refund PRIMARY KEY (account, order_number, refund_number)) WITHOUT ROWID;
                CREATE INDEX IX_attempt_refund_account_started_at ON attempt_refund (account, started_at);
                CREATE TABLE terminal_trouble (
                    serial_number TEXT NOT NULL CONSTRAINT PK_terminal_trouble PRIMARY KEY, payment_seq INTEGER NOT NULL, request_id TEXT NOT NULL,
                    trouble INTEGER NOT NULL, counts_from INTEGER NOT NULL);
                """);
        }
    }
}
