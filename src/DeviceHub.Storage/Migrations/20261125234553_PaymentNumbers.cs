using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class PaymentNumbers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                CREATE TABLE "payment_key" ("sn" TEXT NOT NULL, "request_id" TEXT NOT NULL, "payment" INTEGER NOT NULL,
                    CONSTRAINT "PK_payment_key" PRIMARY KEY ("sn", "request_id")) WITHOUT ROWID;
                """);
            migrationBuilder.Sql("""INSERT INTO "payment_key" SELECT "sn", "request_id", "seq" FROM "payment_event" WHERE "version" = 1;""");
            migrationBuilder.Sql("""ALTER TABLE "payment_event" ADD COLUMN "payment" INTEGER NOT NULL DEFAULT 0;""");
            migrationBuilder.Sql(
                """
                UPDATE "payment_event" SET "payment" = (SELECT k."payment" FROM "payment_key" k
                    WHERE k."sn" = "payment_event"."sn" AND k."request_id" = "payment_event"."request_id");
                """);
            migrationBuilder.DropIndex(
                name: "IX_payment_event_sn_request_id_version",
                table: "payment_event");
            migrationBuilder.CreateIndex(
                name: "IX_payment_event_payment_version",
                table: "payment_event",
                columns: new[] { "payment", "version" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "IX_payment_event_sn_request_id_version",
                table: "payment_event",
                columns: new[] { "sn", "request_id", "version" },
                unique: true);
            migrationBuilder.DropIndex(
                name: "IX_payment_event_payment_version",
                table: "payment_event");
            migrationBuilder.Sql("""ALTER TABLE "payment_event" DROP COLUMN "payment";""");
            migrationBuilder.DropTable(
                name: "payment_key");
        }
    }
}
