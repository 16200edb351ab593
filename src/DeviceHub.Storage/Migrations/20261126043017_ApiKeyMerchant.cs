using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ApiKeyMerchant : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "merchant_id",
                table: "api_key",
                type: "TEXT",
                maxLength: 64,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "merchant_id",
                table: "api_key");
        }
    }
}
