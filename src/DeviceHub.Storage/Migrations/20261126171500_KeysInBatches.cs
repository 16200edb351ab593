using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace DeviceHub.Storage.Migrations
{
    /// <summary>
    /// The last payment whose keys are in payment_number and order_key (<c>LedgerKeys</c>). Written by a prepared statement alone, so the model does not have it. An older hub looks for each
    /// payment in payment_key alone, and would take those that wait a second time: it does not find the table, and takes none.
    /// </summary>
    [DbContext(typeof(HubDbContext))]
    [Migration("20261126171500_KeysInBatches")]
    public partial class KeysInBatches : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            CREATE TABLE ledger_keys (id INTEGER NOT NULL CONSTRAINT PK_ledger_keys PRIMARY KEY, written_to INTEGER NOT NULL);
            INSERT INTO ledger_keys SELECT 1, coalesce(max(payment), 0) FROM payment_event;
            ALTER TABLE payment_key RENAME TO payment_number;
            """);

        /// <summary>With the keys that wait, from their entries: the hub that it is for looks for all in the tables.</summary>
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            ALTER TABLE payment_number RENAME TO payment_key;
            INSERT OR IGNORE INTO payment_key(sn, request_id, payment)
                SELECT sn, request_id, payment FROM payment_event WHERE seq > (SELECT written_to FROM ledger_keys) AND version = 1;
            INSERT OR IGNORE INTO order_key(merchant_id, order_no, sn, request_id)
                SELECT accepted ->> '$[0].merchantId', accepted ->> '$[0].orderNumber', sn, request_id
                FROM (SELECT payment, sn, request_id, CAST(body AS TEXT) AS accepted FROM payment_event WHERE seq > (SELECT written_to FROM ledger_keys) AND version = 1) p
                WHERE accepted ->> '$[0].orderNumber' IS NOT NULL AND coalesce(
                    (SELECT o.value ->> '$.result' FROM payment_event e, json_each(CAST(e.body AS TEXT)) o
                     WHERE e.payment = p.payment AND o.value ->> '$.kind' = 'outcome' ORDER BY e.version DESC LIMIT 1), 1) = 1;
            DROP TABLE ledger_keys;
            """);
    }
}
