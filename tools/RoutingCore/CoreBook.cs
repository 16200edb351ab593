using System.Text;
using System.Text.Json;

namespace DeviceHub.Tools.RoutingCore;

/// <summary>One order as the book has it.</summary>
/// <param name="Code">SHA-256 of the payment code: a repeat with another code is another request.</param>
/// <param name="Refunds">Fen by refund number.</param>
internal sealed record Order(
    string Number, long AmountFen, string Code, string State, DateTimeOffset At, int Reversals, Dictionary<string, long> Refunds)
{
    public long NetFen => State is "paid" ? AmountFen - Refunds.Values.Sum() : 0;
}

/// <summary>Orders in memory and, when it has a file, on disk before they are answered.</summary>
internal sealed class CoreBook : IDisposable
{
    private const int MaxOrders = 1_000_000;

    /// <summary>How each line begins.</summary>
    private const string Begin = "{\"Number\":";

    private static readonly JsonSerializerOptions Whole = new() { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    private readonly Lock sync = new();
    private readonly Dictionary<string, Order> orders = new(StringComparer.Ordinal);
    private readonly FileStream? file;

    /// <exception cref="InvalidDataException">The file is no book.</exception>
    public CoreBook(string? path)
    {
        if (path is null)
        {
            return;
        }

        file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            Read(file);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            file.Dispose();
            throw new InvalidDataException($"{path} is no book of this program ({e.Message})", e);
        }
    }

    public IReadOnlyList<Order> Orders
    {
        get
        {
            lock (sync)
            {
                return [.. orders.Values];
            }
        }
    }

    public Order? Find(string number)
    {
        lock (sync)
        {
            return orders.GetValueOrDefault(number);
        }
    }

    /// <summary>What <paramref name="change"/> makes of the order, which is null when there is none; null: nothing is changed.</summary>
    public Order? Change(string number, Func<Order?, Order?> change)
    {
        lock (sync)
        {
            var before = orders.GetValueOrDefault(number);
            var after = change(before);
            if (after is null || ReferenceEquals(after, before))
            {
                return before;
            }

            if (before is null && orders.Count >= MaxOrders)
            {
                return null;
            }

            if (file is not null)
            {
                file.Write(JsonSerializer.SerializeToUtf8Bytes(after));
                file.WriteByte((byte)'\n');
                file.Flush(flushToDisk: true);
            }

            return orders[number] = after;
        }
    }

    public void Dispose() => file?.Dispose();

    /// <summary>The last line of an order counts. Half a line at the end is of a process that was killed: what it said was not answered, and it is cut off.</summary>
    private void Read(FileStream book)
    {
        var whole = 0L;
        using (var reader = new StreamReader(book, leaveOpen: true))
        {
            while (reader.ReadLine() is { } line)
            {
                var end = whole + Encoding.UTF8.GetByteCount(line) + 1;
                if (end > book.Length)
                {
                    if (!line.StartsWith(Begin, StringComparison.Ordinal) && !Begin.StartsWith(line, StringComparison.Ordinal))
                    {
                        throw new InvalidDataException("its last line has no end");
                    }

                    break;
                }

                var order = JsonSerializer.Deserialize<Order>(line, Whole) ?? throw new InvalidDataException("an order is null");
                orders[order.Number] = order;
                whole = end;
            }
        }

        book.SetLength(whole);
        book.Position = whole;
    }
}
