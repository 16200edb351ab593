using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class PaymentNeedsAttention : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "needs_attention",
                table: "payment",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateIndex(
                name: "IX_payment_needs_attention",
                table: "payment",
                column: "accepted_at",
                filter: "needs_attention");

            // The searchable payments are made again from the ledger, which knows who needed a person before.
            migrationBuilder.Sql("DELETE FROM projection_cursor WHERE name = 'payments';");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_payment_needs_attention",
                table: "payment");

            // Not DropColumn: it would rebuild the table.
            migrationBuilder.Sql("""ALTER TABLE "payment" DROP COLUMN "needs_attention";""");
        }
    }
}
