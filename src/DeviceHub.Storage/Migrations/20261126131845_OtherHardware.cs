using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class OtherHardware : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "other_hardware_address",
                table: "terminal",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "other_hardware_at",
                table: "terminal",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "other_hardware_id",
                table: "terminal",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "IX_terminal_other_hardware",
                table: "terminal",
                column: "other_hardware_at",
                filter: "other_hardware_at IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_terminal_other_hardware",
                table: "terminal");

            // Not DropColumn: it would rebuild the table.
            foreach (var column in (string[])["other_hardware_address", "other_hardware_at", "other_hardware_id"])
            {
                migrationBuilder.Sql($"ALTER TABLE terminal DROP COLUMN {column};");
            }
        }
    }
}
