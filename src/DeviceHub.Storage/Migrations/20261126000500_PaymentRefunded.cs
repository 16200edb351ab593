using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class PaymentRefunded : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "refunded_fen",
                table: "payment",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            // The searchable payments are made again from the ledger, which knows what was given back before.
            migrationBuilder.Sql("DELETE FROM projection_cursor WHERE name = 'payments';");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // Not DropColumn: it would rebuild the table.
            migrationBuilder.Sql("""ALTER TABLE "payment" DROP COLUMN "refunded_fen";""");
        }
    }
}
