using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class CountsByMinuteAndPresence : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "scan_age_ms",
                table: "payment",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<bool>(
                name: "connected",
                table: "last_seen",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "payment_minute",
                columns: table => new
                {
                    minute = table.Column<long>(type: "INTEGER", nullable: false),
                    accepted = table.Column<long>(type: "INTEGER", nullable: false),
                    approved = table.Column<long>(type: "INTEGER", nullable: false),
                    declined = table.Column<long>(type: "INTEGER", nullable: false),
                    not_charged = table.Column<long>(type: "INTEGER", nullable: false),
                    refunded = table.Column<long>(type: "INTEGER", nullable: false),
                    in_doubt = table.Column<long>(type: "INTEGER", nullable: false),
                    approved_fen = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_100 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_1000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_10000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_150 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_1500 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_15000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_200 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_2000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_20000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_300 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_3000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_30000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_400 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_50 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_500 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_5000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_60000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_700 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_7000 = table.Column<long>(type: "INTEGER", nullable: false),
                    ms_over = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_payment_minute", x => x.minute);
                });

            migrationBuilder.CreateTable(
                name: "terminal_trouble",
                columns: table => new
                {
                    serial_number = table.Column<string>(type: "TEXT", nullable: false),
                    payment_seq = table.Column<long>(type: "INTEGER", nullable: false),
                    request_id = table.Column<string>(type: "TEXT", nullable: false),
                    trouble = table.Column<int>(type: "INTEGER", nullable: false),
                    counts_from = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_terminal_trouble", x => x.serial_number);
                });

            migrationBuilder.CreateIndex(
                name: "IX_terminal_configuration_refused",
                table: "terminal",
                column: "reported_at",
                filter: "reported_result > 1");

            migrationBuilder.CreateIndex(
                name: "IX_terminal_status_serial_number",
                table: "terminal",
                columns: new[] { "status", "serial_number" });

            migrationBuilder.CreateIndex(
                name: "IX_payment_in_doubt",
                table: "payment",
                column: "accepted_at",
                filter: "stage = 4");

            migrationBuilder.CreateIndex(
                name: "IX_last_seen_connected",
                table: "last_seen",
                columns: new[] { "at", "connected" },
                filter: "connected");

            CountPayments(migrationBuilder);
        }

        /// <summary>
        /// The payments that there are, as the projection would have counted them: from their rows, which say nothing of the scan's age. SQLite sorts
        /// them on the disk; a million take some seconds. Of terminals the payments in doubt count that are their last.
        /// </summary>
        private static void CountPayments(MigrationBuilder migrationBuilder)
        {
            // As the limits were when this was written; they do not change.
            string[] limits = ["50", "100", "150", "200", "300", "400", "500", "700", "1000", "1500", "2000", "3000", "5000", "7000", "10000", "15000", "20000", "30000", "60000"];
            var columns = new System.Text.StringBuilder();
            var sums = new System.Text.StringBuilder();
            for (var i = 0; i <= limits.Length; i++)
            {
                var from = i == 0 ? "" : $" AND final_at - accepted_at > {limits[i - 1]}";
                var to = i == limits.Length ? "" : $" AND final_at - accepted_at <= {limits[i]}";
                columns.Append(", ms_").Append(i == limits.Length ? "over" : limits[i]);
                sums.Append($", sum(final_at IS NOT NULL{from}{to})");
            }

            migrationBuilder.Sql(
                $"""
                INSERT INTO payment_minute(minute, accepted, approved, declined, not_charged, refunded, in_doubt, approved_fen{columns})
                SELECT accepted_at / 60000, count(*), sum(result = 1), sum(result = 2), sum(result = 3), sum(result = 4), sum(stage = 4),
                  sum(CASE result WHEN 1 THEN amount_fen ELSE 0 END){sums}
                FROM payment GROUP BY 1;
                """);
            migrationBuilder.Sql(
                """
                INSERT OR REPLACE INTO terminal_trouble(serial_number, payment_seq, request_id, trouble, counts_from)
                SELECT serial_number, seq, request_id, 1, accepted_at FROM payment p WHERE stage = 4
                  AND NOT EXISTS (SELECT 1 FROM payment n WHERE n.serial_number = p.serial_number AND n.accepted_at > p.accepted_at);
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "payment_minute");

            migrationBuilder.DropTable(
                name: "terminal_trouble");

            migrationBuilder.DropIndex(
                name: "IX_terminal_configuration_refused",
                table: "terminal");

            migrationBuilder.DropIndex(
                name: "IX_terminal_status_serial_number",
                table: "terminal");

            migrationBuilder.DropIndex(
                name: "IX_payment_in_doubt",
                table: "payment");

            migrationBuilder.DropIndex(
                name: "IX_last_seen_connected",
                table: "last_seen");

            // Not DropColumn: it would rebuild the tables.
            migrationBuilder.Sql("""ALTER TABLE "payment" DROP COLUMN "scan_age_ms";""");
            migrationBuilder.Sql("""ALTER TABLE "last_seen" DROP COLUMN "connected";""");
        }
    }
}
