using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ChannelAccounts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "channel_account",
                table: "payment",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "channel_account",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    merchant_id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    channel = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    terms = table.Column<string>(type: "TEXT", nullable: false),
                    settings = table.Column<string>(type: "TEXT", nullable: false),
                    secrets = table.Column<string>(type: "TEXT", nullable: false),
                    created = table.Column<long>(type: "INTEGER", nullable: false),
                    changed = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_channel_account", x => x.id);
                    table.ForeignKey(
                        name: "FK_channel_account_merchant_merchant_id",
                        column: x => x.merchant_id,
                        principalTable: "merchant",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "IX_channel_account_merchant_id",
                table: "channel_account",
                column: "merchant_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "channel_account");

            // Not DropColumn: it would rebuild the table.
            migrationBuilder.Sql("""ALTER TABLE "payment" DROP COLUMN "channel_account";""");
        }
    }
}
