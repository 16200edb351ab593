using DeviceHub.Core;
using DeviceHub.Core.Live;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using Microsoft.AspNetCore.DataProtection;

namespace DeviceHub.Storage;

/// <summary>Rows of terminals, with prepared statements: a login loads one.</summary>
internal sealed class TerminalStore(HubDatabase database, ReadPool pool, LiveFeed feed, IDataProtectionProvider protection, AuditLog audit) : ITerminalStore
{
    private readonly KeyCipher cipher = new(protection);

    public ValueTask<TerminalRecord?> Load(string serialNumber) => pool.Read((serialNumber, cipher), static (db, q) =>
    {
        var row = db.Prepare(
            """
            SELECT status, model, merchant_id, merchant_name, store_id, store_name, key, offered_key, hardware_id, max_amount_fen,
              desired_configuration, desired_version, desired_hash, reported_result, reported_version, reported_hash,
              reported_detail, reported_at, registered_at, activated_at, token_used, version,
              other_hardware_id, other_hardware_address, other_hardware_at
            FROM terminal WHERE serial_number = ?1
            """).Bind(1, q.serialNumber);
        if (!row.Next())
        {
            return null;
        }

        var record = new TerminalRecord
        {
            SerialNumber = q.serialNumber,
            Status = (TerminalStatus)row.Long(0),
            Model = row.Text(1),
            MerchantId = row.TextOrNull(2),
            MerchantName = row.TextOrNull(3),
            StoreId = row.TextOrNull(4),
            StoreName = row.TextOrNull(5),
            Key = q.cipher.Open(q.serialNumber, row.BlobOrNull(6)),
            OfferedKey = q.cipher.Open(q.serialNumber, row.BlobOrNull(7)),
            HardwareId = row.TextOrNull(8),
            MaxAmountFen = row.LongOrNull(9),
            DesiredConfiguration = row.TextOrNull(10),
            DesiredVersion = row.Long(11),
            DesiredHash = row.BlobOrNull(12),
            Reported = row.Long(13) == 0 ? null : new ConfigurationReport(
                row.Long(14), row.BlobOrNull(15) ?? [], (ConfigurationResult)row.Long(13), row.TextOrNull(16), row.Time(17)),
            RegisteredAt = row.Time(18),
            ActivatedAt = row.TimeOrNull(19),
            TokenUsed = row.TimeOrNull(20),
            Version = row.Long(21),
            OtherHardware = row.IsNull(24) ? null : new OtherHardware(row.Text(22), row.Text(23), row.Time(24)),
        };
        row.Reset();
        return record;
    });

    public async ValueTask<bool> Save(TerminalRecord record, Deed? deed = null)
    {
        var row = deed is null ? null : audit.Row(deed);
        using (await database.Gate.Enter().ConfigureAwait(false))
        {
            var db = database.Writes;
            using var transaction = row is null ? null : db.Connection.BeginTransaction(deferred: false);
            if (!Put(db, record))
            {
                return false;
            }

            if (row is not null)
            {
                db.Prepare("INSERT INTO audit(at, who, what, subject, before, after, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
                    .Bind(1, row.At).Bind(2, row.Who).Bind(3, row.What).Bind(4, row.Subject).Bind(5, row.Before).Bind(6, row.After).Bind(7, row.Address).Run();
                transaction!.Commit();
            }
        }

        Publish(record.SerialNumber);
        return true;
    }

    public async ValueTask<bool> SaveActivated(TerminalRecord record, DateTimeOffset now)
    {
        using (await database.Gate.Enter().ConfigureAwait(false))
        {
            var db = database.Writes;
            using var transaction = db.Connection.BeginTransaction(deferred: false);
            if (!Put(db, record))
            {
                return false;
            }

            db.Prepare("UPDATE activation_use SET consumed_at = ?2 WHERE serial_number = ?1 AND consumed_at IS NULL")
                .Bind(1, record.SerialNumber).Bind(2, now).Run();
            transaction.Commit();
        }

        Publish(record.SerialNumber);
        return true;
    }

    public async ValueTask<ActivationGrant?> ReserveActivation(string fingerprint, string serialNumber, DateTimeOffset now)
    {
        using var lease = await database.Gate.Enter().ConfigureAwait(false);
        var db = database.Writes;
        using var transaction = db.Connection.BeginTransaction(deferred: false);
        var code = db.Prepare(
            """
            SELECT c.id, m.id, m.name, s.id, s.name, c.model,
              (SELECT count(*) FROM activation_use u WHERE u.code_id = c.id AND u.serial_number <> ?2) < c.max_uses,
              (SELECT u.consumed_at IS NOT NULL FROM activation_use u WHERE u.code_id = c.id AND u.serial_number = ?2)
            FROM activation_code c JOIN store s ON s.id = c.store_id JOIN merchant m ON m.id = s.merchant_id
            WHERE c.fingerprint = ?1 AND c.revoked IS NULL AND c.expires > ?3
            """).Bind(1, fingerprint).Bind(2, serialNumber).Bind(3, now);
        if (!code.Next())
        {
            return null;
        }

        var id = code.Text(0);
        var grant = new ActivationGrant(code.Text(1), code.Text(2), code.Text(3), code.Text(4), code.Text(5));
        var (free, mine, consumed) = (code.Long(6) != 0, !code.IsNull(7), code.Long(7) != 0);
        code.Reset();
        if (consumed || (!mine && !free))
        {
            return null;
        }

        db.Prepare("INSERT INTO activation_use(code_id, serial_number, reserved_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
            .Bind(1, id).Bind(2, serialNumber).Bind(3, now).Run();
        transaction.Commit();
        return grant;
    }

    private void Publish(string serialNumber)
    {
        if (feed.IsWatched)
        {
            feed.Changed(LiveFeed.Terminal(serialNumber));
            feed.Changed(LiveFeed.Terminals);
        }
    }

    private bool Put(PreparedConnection db, TerminalRecord r)
    {
        var statement = db.Prepare(r.Version == 0
            ? """
              INSERT INTO terminal(serial_number, status, model, merchant_id, merchant_name, store_id, store_name, key, offered_key,
                hardware_id, max_amount_fen, desired_configuration, desired_version, desired_hash, reported_result, reported_version,
                reported_hash, reported_detail, reported_at, registered_at, activated_at, token_used, version,
                other_hardware_id, other_hardware_address, other_hardware_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23 + 1, ?24, ?25, ?26)
              ON CONFLICT DO NOTHING
              """
            : """
              UPDATE terminal SET status = ?2, model = ?3, merchant_id = ?4, merchant_name = ?5, store_id = ?6, store_name = ?7, key = ?8,
                offered_key = ?9, hardware_id = ?10, max_amount_fen = ?11, desired_configuration = ?12, desired_version = ?13,
                desired_hash = ?14, reported_result = ?15, reported_version = ?16, reported_hash = ?17, reported_detail = ?18,
                reported_at = ?19, registered_at = ?20, activated_at = ?21, token_used = ?22, version = ?23 + 1,
                other_hardware_id = ?24, other_hardware_address = ?25, other_hardware_at = ?26
              WHERE serial_number = ?1 AND version = ?23
              """);
        return statement.Bind(1, r.SerialNumber).Bind(2, (long)r.Status).Bind(3, r.Model)
            .Bind(4, r.MerchantId).Bind(5, r.MerchantName).Bind(6, r.StoreId).Bind(7, r.StoreName)
            .Bind(8, cipher.Seal(r.SerialNumber, r.Key)).Bind(9, cipher.Seal(r.SerialNumber, r.OfferedKey))
            .Bind(10, r.HardwareId).Bind(11, r.MaxAmountFen).Bind(12, r.DesiredConfiguration).Bind(13, r.DesiredVersion).Bind(14, r.DesiredHash)
            .Bind(15, (long)(r.Reported?.Result ?? 0)).Bind(16, r.Reported?.Version ?? 0).Bind(17, r.Reported?.Hash)
            .Bind(18, r.Reported?.Detail).Bind(19, r.Reported?.At).Bind(20, r.RegisteredAt).Bind(21, r.ActivatedAt).Bind(22, r.TokenUsed).Bind(23, r.Version)
            .Bind(24, r.OtherHardware?.HardwareId).Bind(25, r.OtherHardware?.Address).Bind(26, r.OtherHardware?.At)
            .Run() > 0;
    }
}
