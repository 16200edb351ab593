using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace DeviceHub.Storage;

/// <summary>
/// A prepared statement of one connection, below the provider's commands: no allocation a row and result codes instead of
/// exceptions where the ledger wants them. One thread at a time.
/// </summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 db;
    private readonly sqlite3_stmt stmt;

    public Statement(SqliteConnection connection, string sql)
    {
        db = connection.Handle ?? throw new InvalidOperationException("the connection is closed");
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v3(db, sql, raw.SQLITE_PREPARE_PERSISTENT, out stmt), db);
    }

    public Statement Bind(int index, string? value)
    {
        if (value is null)
        {
            raw.sqlite3_bind_null(stmt, index);
            return this;
        }

        Span<byte> utf8 = stackalloc byte[256];
        if (value.Length * 3 <= utf8.Length)
        {
            raw.sqlite3_bind_text(stmt, index, utf8[..Encoding.UTF8.GetBytes(value, utf8)]);
        }
        else
        {
            raw.sqlite3_bind_text(stmt, index, value);
        }

        return this;
    }

    public Statement Bind(int index, long value)
    {
        raw.sqlite3_bind_int64(stmt, index, value);
        return this;
    }

    public Statement Bind(int index, long? value)
    {
        if (value is { } number)
        {
            raw.sqlite3_bind_int64(stmt, index, number);
        }
        else
        {
            raw.sqlite3_bind_null(stmt, index);
        }

        return this;
    }

    public Statement Bind(int index, DateTimeOffset value) => Bind(index, value.ToUnixTimeMilliseconds());

    public Statement Bind(int index, DateTimeOffset? value) => Bind(index, value?.ToUnixTimeMilliseconds());

    public Statement Bind(int index, byte[]? value)
    {
        if (value is null)
        {
            raw.sqlite3_bind_null(stmt, index);
        }
        else
        {
            raw.sqlite3_bind_blob(stmt, index, value);
        }

        return this;
    }

    /// <summary>Runs a statement without rows to its end. The result code; OK when all is well.</summary>
    public int TryRun()
    {
        var code = raw.sqlite3_step(stmt);
        raw.sqlite3_reset(stmt);
        return code is raw.SQLITE_DONE or raw.SQLITE_ROW ? raw.SQLITE_OK : code;
    }

    /// <summary>As <see cref="TryRun"/>, throwing; the number of rows changed.</summary>
    public int Run()
    {
        SqliteException.ThrowExceptionForRC(TryRun(), db);
        return raw.sqlite3_changes(db);
    }

    /// <summary>The next row, or the end (and then it is reset). Throws on errors.</summary>
    public bool Next()
    {
        var code = raw.sqlite3_step(stmt);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        raw.sqlite3_reset(stmt);
        SqliteException.ThrowExceptionForRC(code == raw.SQLITE_DONE ? raw.SQLITE_OK : code, db);
        return false;
    }

    /// <summary>The number in the first row; 0: there is no row, or it is null.</summary>
    public long Number()
    {
        var number = Next() ? LongOrNull(0) ?? 0 : 0;
        Reset();
        return number;
    }

    /// <summary>Whether there is a row.</summary>
    public bool Any()
    {
        var any = Next();
        Reset();
        return any;
    }

    /// <summary>The result code of one step: ROW, DONE or an error. <see cref="Reset"/> follows.</summary>
    public int Step() => raw.sqlite3_step(stmt);

    public void Reset() => raw.sqlite3_reset(stmt);

    public bool IsNull(int column) => raw.sqlite3_column_type(stmt, column) == raw.SQLITE_NULL;

    public long Long(int column) => raw.sqlite3_column_int64(stmt, column);

    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);

    public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(Long(column));

    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

    public string Text(int column) => raw.sqlite3_column_text(stmt, column).utf8_to_string();

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(stmt, column);

    public byte[]? BlobOrNull(int column) => IsNull(column) ? null : Blob(column).ToArray();

    public void Dispose() => stmt.Dispose();
}

/// <summary>A connection with the statements that were once prepared on it. One thread at a time.</summary>
internal sealed class PreparedConnection(SqliteConnection connection) : IDisposable
{
    /// <summary>By the text's identity: statements are literals, and hashing them costs more than binding them.</summary>
    private readonly Dictionary<string, Statement> statements = new(ReferenceEqualityComparer.Instance);

    public SqliteConnection Connection => connection;

    /// <param name="sql">A literal: every text is kept prepared.</param>
    public Statement Prepare(string sql)
    {
        if (!statements.TryGetValue(sql, out var statement))
        {
            statements.Add(sql, statement = new Statement(connection, sql));
        }

        statement.Reset();
        return statement;
    }

    /// <summary>Ends what any statement has begun to read.</summary>
    public void Reset()
    {
        foreach (var statement in statements.Values)
        {
            statement.Reset();
        }
    }

    public void Dispose()
    {
        foreach (var statement in statements.Values)
        {
            statement.Dispose();
        }

        statements.Clear();
        connection.Dispose();
    }
}
