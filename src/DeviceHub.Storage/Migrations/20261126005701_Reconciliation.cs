using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Reconciliation : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // One tree instead of two a row: the generator cannot say WITHOUT ROWID.
            migrationBuilder.Sql(
                """
                CREATE TABLE "attempt" (
                    "account" TEXT NOT NULL,
                    "order_number" TEXT NOT NULL,
                    "payment_seq" INTEGER NOT NULL,
                    "number" INTEGER NOT NULL,
                    "money" INTEGER NOT NULL,
                    "refunds" INTEGER NOT NULL,
                    CONSTRAINT "PK_attempt" PRIMARY KEY ("account", "order_number")
                ) WITHOUT ROWID;
                """);

            // One tree instead of two a row: the generator cannot say WITHOUT ROWID.
            migrationBuilder.Sql(
                """
                CREATE TABLE "attempt_refund" (
                    "account" TEXT NOT NULL,
                    "order_number" TEXT NOT NULL,
                    "refund_number" TEXT NOT NULL,
                    "amount_fen" INTEGER NOT NULL,
                    "money" INTEGER NOT NULL,
                    "started_at" INTEGER NOT NULL,
                    CONSTRAINT "PK_attempt_refund" PRIMARY KEY ("account", "order_number", "refund_number")
                ) WITHOUT ROWID;
                """);

            // One tree instead of two a row: the generator cannot say WITHOUT ROWID.
            migrationBuilder.Sql(
                """
                CREATE TABLE "bill_stray" (
                    "account" TEXT NOT NULL,
                    "order_number" TEXT NOT NULL,
                    "refund_number" TEXT NOT NULL,
                    "kind" INTEGER NOT NULL,
                    "day" TEXT NOT NULL,
                    CONSTRAINT "PK_bill_stray" PRIMARY KEY ("account", "order_number", "refund_number", "kind", "day")
                ) WITHOUT ROWID;
                """);

            migrationBuilder.CreateTable(
                name: "reconciliation",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    account_id = table.Column<string>(type: "TEXT", nullable: false),
                    channel = table.Column<string>(type: "TEXT", nullable: false),
                    merchant_id = table.Column<string>(type: "TEXT", nullable: false),
                    day = table.Column<DateOnly>(type: "TEXT", nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    step = table.Column<int>(type: "INTEGER", nullable: false),
                    requested_by = table.Column<string>(type: "TEXT", nullable: false),
                    requested_at = table.Column<long>(type: "INTEGER", nullable: false),
                    requests = table.Column<int>(type: "INTEGER", nullable: false),
                    tries = table.Column<int>(type: "INTEGER", nullable: false),
                    next_at = table.Column<long>(type: "INTEGER", nullable: true),
                    started_at = table.Column<long>(type: "INTEGER", nullable: true),
                    reported_at = table.Column<long>(type: "INTEGER", nullable: true),
                    fault = table.Column<string>(type: "TEXT", nullable: true),
                    rows_read = table.Column<long>(type: "INTEGER", nullable: false),
                    bill_rows = table.Column<long>(type: "INTEGER", nullable: false),
                    charged_fen = table.Column<long>(type: "INTEGER", nullable: false),
                    paid_back_fen = table.Column<long>(type: "INTEGER", nullable: false),
                    fee_fen = table.Column<long>(type: "INTEGER", nullable: false),
                    matched = table.Column<long>(type: "INTEGER", nullable: false),
                    matched_fen = table.Column<long>(type: "INTEGER", nullable: false),
                    left_out = table.Column<string>(type: "TEXT", nullable: true),
                    generation = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reconciliation", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "reconciliation_difference",
                columns: table => new
                {
                    reconciliation_id = table.Column<long>(type: "INTEGER", nullable: false),
                    generation = table.Column<int>(type: "INTEGER", nullable: false),
                    number = table.Column<int>(type: "INTEGER", nullable: false),
                    account_id = table.Column<string>(type: "TEXT", nullable: false),
                    @class = table.Column<int>(name: "class", type: "INTEGER", nullable: false),
                    reason = table.Column<int>(type: "INTEGER", nullable: false),
                    order_number = table.Column<string>(type: "TEXT", nullable: false),
                    refund_number = table.Column<string>(type: "TEXT", nullable: false),
                    serial_number = table.Column<string>(type: "TEXT", nullable: true),
                    request_id = table.Column<string>(type: "TEXT", nullable: true),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    transaction = table.Column<string>(type: "TEXT", nullable: false),
                    line = table.Column<int>(type: "INTEGER", nullable: true),
                    bill_fen = table.Column<long>(type: "INTEGER", nullable: true),
                    ledger_fen = table.Column<long>(type: "INTEGER", nullable: true),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    awaits = table.Column<DateOnly>(type: "TEXT", nullable: true),
                    settled = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reconciliation_difference", x => new { x.reconciliation_id, x.generation, x.number });
                });

            migrationBuilder.CreateTable(
                name: "refund_proposal",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    reconciliation_id = table.Column<long>(type: "INTEGER", nullable: false),
                    account_id = table.Column<string>(type: "TEXT", nullable: false),
                    day = table.Column<DateOnly>(type: "TEXT", nullable: false),
                    order_number = table.Column<string>(type: "TEXT", nullable: false),
                    serial_number = table.Column<string>(type: "TEXT", nullable: false),
                    request_id = table.Column<string>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    reason = table.Column<int>(type: "INTEGER", nullable: false),
                    amount_fen = table.Column<long>(type: "INTEGER", nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    proposed_at = table.Column<long>(type: "INTEGER", nullable: false),
                    decided_by = table.Column<string>(type: "TEXT", nullable: true),
                    decided_at = table.Column<long>(type: "INTEGER", nullable: true),
                    note = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_refund_proposal", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_attempt_refund_account_started_at",
                table: "attempt_refund",
                columns: new[] { "account", "started_at" });

            migrationBuilder.CreateIndex(
                name: "IX_bill_stray_account_day",
                table: "bill_stray",
                columns: new[] { "account", "day" });

            migrationBuilder.CreateIndex(
                name: "IX_reconciliation_account_id_day",
                table: "reconciliation",
                columns: new[] { "account_id", "day" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_reconciliation_day",
                table: "reconciliation",
                column: "day");

            migrationBuilder.CreateIndex(
                name: "IX_reconciliation_state",
                table: "reconciliation",
                column: "state");

            migrationBuilder.CreateIndex(
                name: "IX_reconciliation_difference_account_id_awaits",
                table: "reconciliation_difference",
                columns: new[] { "account_id", "awaits" },
                filter: "NOT settled AND awaits IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_reconciliation_difference_account_id_order_number",
                table: "reconciliation_difference",
                columns: new[] { "account_id", "order_number" },
                filter: "NOT settled");

            migrationBuilder.CreateIndex(
                name: "IX_refund_proposal_order_number",
                table: "refund_proposal",
                column: "order_number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_refund_proposal_state_id",
                table: "refund_proposal",
                columns: new[] { "state", "id" });

            // Attempts are made from the ledger with the searchable payments.
            migrationBuilder.Sql("DELETE FROM projection_cursor WHERE name = 'payments';");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "attempt");

            migrationBuilder.DropTable(
                name: "attempt_refund");

            migrationBuilder.DropTable(
                name: "bill_stray");

            migrationBuilder.DropTable(
                name: "reconciliation");

            migrationBuilder.DropTable(
                name: "reconciliation_difference");

            migrationBuilder.DropTable(
                name: "refund_proposal");
        }
    }
}
