using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <summary>Points of charts: written and read by prepared statements alone, so the model does not have them.</summary>
    [DbContext(typeof(HubDbContext))]
    [Migration("20261126070000_Heartbeats")]
    public partial class Heartbeats : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // One tree, a terminal's points side by side: the generator cannot say WITHOUT ROWID.
            migrationBuilder.Sql(
                """
                CREATE TABLE heartbeat (
                    serial_number TEXT NOT NULL,
                    at INTEGER NOT NULL,
                    uptime_s INTEGER NULL,
                    signal_dbm INTEGER NULL,
                    battery_percent INTEGER NULL,
                    reconnects INTEGER NOT NULL,
                    attach_ms INTEGER NULL,
                    dns_ms INTEGER NULL,
                    tls_ms INTEGER NULL,
                    login_ms INTEGER NULL,
                    unsettled INTEGER NOT NULL,
                    CONSTRAINT PK_heartbeat PRIMARY KEY (serial_number, at)
                ) WITHOUT ROWID;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable(name: "heartbeat");
    }
}
