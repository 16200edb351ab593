using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class PaymentSearch : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_payment_accepted_at",
                table: "payment");

            migrationBuilder.CreateIndex(
                name: "IX_payment_channel_transaction",
                table: "payment",
                column: "channel_transaction",
                filter: "channel_transaction IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_payment_refunded",
                table: "payment",
                column: "accepted_at",
                filter: "refunded_fen > 0 OR result = 4");

            migrationBuilder.CreateIndex(
                name: "IX_payment_time",
                table: "payment",
                columns: new[] { "accepted_at", "seq", "amount_fen", "wallet", "code_last_four", "channel", "request_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_payment_channel_transaction",
                table: "payment");

            migrationBuilder.DropIndex(
                name: "IX_payment_refunded",
                table: "payment");

            migrationBuilder.DropIndex(
                name: "IX_payment_time",
                table: "payment");

            migrationBuilder.CreateIndex(
                name: "IX_payment_accepted_at",
                table: "payment",
                column: "accepted_at");
        }
    }
}
