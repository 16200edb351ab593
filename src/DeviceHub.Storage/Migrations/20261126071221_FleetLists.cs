using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class FleetLists : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "IX_terminal_drifts",
                table: "terminal",
                column: "serial_number",
                filter: "desired_version > 0 AND (reported_result <> 1 OR reported_version <> desired_version OR reported_hash IS NOT desired_hash)");

            migrationBuilder.CreateIndex(
                name: "IX_terminal_model_serial_number",
                table: "terminal",
                columns: new[] { "model", "serial_number" });

            migrationBuilder.CreateIndex(
                name: "IX_terminal_registered_at_serial_number",
                table: "terminal",
                columns: new[] { "registered_at", "serial_number" });

            migrationBuilder.CreateIndex(
                name: "IX_terminal_store_name_serial_number",
                table: "terminal",
                columns: new[] { "store_name", "serial_number" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_terminal_drifts",
                table: "terminal");

            migrationBuilder.DropIndex(
                name: "IX_terminal_model_serial_number",
                table: "terminal");

            migrationBuilder.DropIndex(
                name: "IX_terminal_registered_at_serial_number",
                table: "terminal");

            migrationBuilder.DropIndex(
                name: "IX_terminal_store_name_serial_number",
                table: "terminal");
        }
    }
}
