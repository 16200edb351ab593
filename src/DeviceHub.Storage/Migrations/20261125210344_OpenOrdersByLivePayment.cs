using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class OpenOrdersByLivePayment : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Not DropColumn: it would rebuild the table with row ids.
            migrationBuilder.Sql("""ALTER TABLE "order_key" DROP COLUMN "paid";""");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""ALTER TABLE "order_key" ADD COLUMN "paid" INTEGER NOT NULL DEFAULT 0;""");
            migrationBuilder.Sql(
                """
                UPDATE "order_key" SET "paid" = 1 WHERE NOT EXISTS (SELECT 1 FROM "live_payment" l
                    WHERE l."sn" = "order_key"."sn" AND l."request_id" = "order_key"."request_id" AND l."final_at" IS NULL);
                """);
        }
    }
}
