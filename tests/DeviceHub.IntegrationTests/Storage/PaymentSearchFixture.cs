using System.Diagnostics;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>
/// Many payments, made by one statement: a hundred terminals in ten stores of five merchants, one of which has most of them; the last ones are under way. It
/// also hears which statements a search runs.
/// </summary>
public sealed class PaymentSearchFixture : IDisposable, IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    public static readonly int Payments = EnvironmentNumber.Of("DEVICEHUB_SEARCH_PAYMENTS", 30_000);

    private static readonly AsyncLocal<List<string>?> Heard = new();
    private readonly StorageFixture storage = new();
    private readonly List<IDisposable> listening = [];

    public PaymentSearchFixture()
    {
        // Only the fixture writes both files with one connection: nobody else is there.
        using (var both = storage.Search.Reader().Connection)
        {
            HubDatabase.Execute(both, "PRAGMA query_only = OFF");
            foreach (var sql in Statements)
            {
                HubDatabase.Execute(both, sql.Replace("@N", Payments.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));
            }
        }

        Search = new PaymentSearch(storage.Reads, storage.Keys, Options.Create(storage.TerminalOptions), new FakeTimeProvider(StorageFixture.Now.AddYears(1)));
        listening.Add(DiagnosticListener.AllListeners.Subscribe(this));
    }

    public static DateTimeOffset Start => StorageFixture.Now;

    /// <summary>A year after them all.</summary>
    internal IPaymentSearch Search { get; }

    internal HubReads Reads => storage.Reads;

    internal LedgerKeys Keys => storage.Keys;

    private static IEnumerable<string> Statements =>
    [
        "INSERT INTO merchant(id, name, created) VALUES ('m0', 'Noodles', 0)",
        """
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < @N - 1)
        INSERT INTO payment(seq, serial_number, request_id, version, accepted_at, merchant_id, store_id, amount_fen, wallet, code_last_four, order_number, stage, result, reason, revision,
          shown_revision, paid_fen, discount_fen, final_at, attempts, channel_order_number, channel, channel_transaction, payer, needs_attention, refunded_fen, channel_account)
        SELECT 3 * i + 1, printf('SN-%04d', i * 7919 % 100), printf('AAAAAAAAAAAA-%d', i), 2, 1777636800000 + i / 3 * 1000,
          CASE WHEN i * 7919 % 100 < 80 THEN 'm0' ELSE printf('m%d', i % 4 + 1) END, printf('s%d', i * 7919 % 10), 100 + i * 7919 % 50000, 1 + i % 2, printf('%04d', i * 31 % 9000),
          CASE WHEN i % 2 = 0 THEN printf('OD-%d', i) END, CASE WHEN i > @N - 8 THEN 1 + i % 4 ELSE 5 END, CASE WHEN i > @N - 8 THEN 0 WHEN i % 20 = 0 THEN 2 WHEN i % 1000 = 1 THEN 3 ELSE 1 END,
          0, CASE WHEN i > @N - 8 THEN 0 ELSE 1 END, CASE WHEN i > @N - 8 OR i % 700 = 6 THEN 0 ELSE 1 END, 100, 0,
          CASE WHEN i <= @N - 8 THEN 1777636800000 + i / 3 * 1000 END, 1, printf('d%011x%018x', i, i), CASE WHEN i = 17 THEN 'remote' ELSE 'wechat-v3' END, printf('4200%024d', i), 'o*1', i % 5000 = 2,
          CASE WHEN i % 3000 = 3 THEN 50 WHEN i % 3000 = 4 THEN 60000 ELSE 0 END, 'a1' FROM n
        """,
        "INSERT INTO payment_number(sn, request_id, payment) SELECT serial_number, request_id, seq FROM payment",
        "INSERT INTO request_epoch(epoch, serial_number) SELECT DISTINCT substr(request_id, 1, 12), serial_number FROM payment",
        "INSERT INTO channel_order(number, sn, request_id) SELECT channel_order_number, serial_number, request_id FROM payment",
    ];

    /// <summary>Runs it and hears the statements that it took, each with its plan.</summary>
    internal async Task<(T Answer, IReadOnlyList<(string Sql, string Plan)> Statements)> Watch<T>(Func<IPaymentSearch, Task<T>> search)
    {
        var heard = Heard.Value = [];
        var answer = await search(Search);
        Heard.Value = null;
        return (answer, [.. heard.Select(sql => (sql, Plan(sql)))]);
    }

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "Microsoft.EntityFrameworkCore")
        {
            listening.Add(value.Subscribe(this));
        }
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is CommandEventData { Command: SqliteCommand command } && value.Key == RelationalEventId.CommandExecuting.Name)
        {
            Heard.Value?.Add(command.CommandText);
        }
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    public void Dispose()
    {
        listening.ForEach(l => l.Dispose());
        storage.Dispose();
    }

    /// <summary>It does not depend on the parameters' values: SQLite sees them only when it runs.</summary>
    private string Plan(string sql)
    {
        using var connection = storage.Search.Reader().Connection;
        using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + sql;
        foreach (System.Text.RegularExpressions.Match name in System.Text.RegularExpressions.Regex.Matches(sql, "@[A-Za-z_0-9]+"))
        {
            if (!command.Parameters.Contains(name.Value))
            {
                command.Parameters.AddWithValue(name.Value, DBNull.Value);
            }
        }

        using var rows = command.ExecuteReader();
        var plan = new List<string>();
        while (rows.Read())
        {
            plan.Add(rows.GetString(3));
        }

        return string.Join('\n', plan);
    }
}
