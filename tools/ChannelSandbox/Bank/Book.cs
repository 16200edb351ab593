using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace DeviceHub.Tools.ChannelSandbox.Bank;

/// <summary>
/// The bank's own book: a file of JSON lines, one for every change of an order, the last of an order counts. A line is handed to the
/// operating system before the change is answered, so that it outlives a SIGKILL; half a line at the end is cut off at the next start.
/// </summary>
internal sealed class Book : IDisposable
{
    /// <summary>How each line begins.</summary>
    private const string Begin = "{\"channel\":";

    private readonly FileStream? file;
    private readonly Lock gate = new();
    private readonly ArrayBufferWriter<byte> buffer = new(4096);
    private readonly Utf8JsonWriter writer;

    /// <param name="path">Null: nothing is kept.</param>
    public Book(string? path)
    {
        writer = new Utf8JsonWriter(buffer);
        if (path is not null)
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        }
    }

    public void Write(Order order)
    {
        if (file is null)
        {
            return;
        }

        lock (gate)
        {
            buffer.ResetWrittenCount();
            writer.Reset(buffer);
            Write(writer, order);
            writer.Flush();
            buffer.GetSpan(1)[0] = (byte)'\n';
            buffer.Advance(1);
            file.Write(buffer.WrittenSpan);
        }
    }

    /// <summary>Every order as it was written last, in the order of their creation.</summary>
    /// <exception cref="InvalidDataException">The file is no book.</exception>
    public IReadOnlyCollection<Order> Replay()
    {
        if (file is null)
        {
            return [];
        }

        var orders = new Dictionary<OrderKey, Order>();
        file.Position = 0;
        var whole = 0L;
        using (var reader = new StreamReader(file, leaveOpen: true))
        {
            while (reader.ReadLine() is { } line)
            {
                var end = whole + System.Text.Encoding.UTF8.GetByteCount(line) + 1;
                if (end > file.Length)
                {
                    // Cut off below, so it must be half a line of ours and no other file's.
                    if (!line.StartsWith(Begin, StringComparison.Ordinal) && !Begin.StartsWith(line, StringComparison.Ordinal))
                    {
                        throw NoBook(line, "its last line has no end");
                    }

                    break;
                }

                var order = Read(line);
                orders[order.Key] = order;
                whole = end;
            }
        }

        file.SetLength(whole);
        file.Position = whole;
        return orders.Values;
    }

    public void Dispose()
    {
        lock (gate)
        {
            writer.Dispose();
            file?.Dispose();
        }
    }

    private static void Write(Utf8JsonWriter json, Order order)
    {
        json.WriteStartObject();
        json.WriteNumber("channel"u8, (int)order.Key.Channel);
        json.WriteString("merchant"u8, order.Key.Merchant);
        json.WriteString("order"u8, order.Key.Number);
        json.WriteNumber("fen"u8, order.Fen);
        json.WriteString("code"u8, order.Code.ToString("x", CultureInfo.InvariantCulture));
        json.WriteNumber("at"u8, order.CreatedAt);
        json.WriteNumber("sequence"u8, order.Sequence);
        json.WriteNumber("state"u8, (int)order.State);
        json.WriteString("application"u8, order.Application);
        json.WriteString("subject"u8, order.Subject);
        Optional(json, "device", order.Device);
        Optional(json, "attach", order.Attach);
        Optional(json, "notify", order.NotifyUrl);
        json.WriteBoolean("v3"u8, order.IsV3);
        json.WriteNumber("charged"u8, order.ChargedAt);
        json.WriteNumber("revoked"u8, order.RevokedAt);
        json.WriteNumber("reversed"u8, order.ReversedFen);
        json.WriteNumber("traits"u8, (int)order.Traits);
        json.WriteNumber("due"u8, order.DueAt);
        json.WriteNumber("next"u8, (int)order.Next);
        json.WriteBoolean("hidden"u8, order.Hidden);
        json.WriteNumber("reversals"u8, order.Reversals);
        json.WriteStartArray("refunds"u8);
        foreach (var refund in order.Refunds)
        {
            json.WriteStartObject();
            json.WriteString("number"u8, refund.Number);
            json.WriteNumber("fen"u8, refund.Fen);
            json.WriteNumber("sequence"u8, refund.Sequence);
            json.WriteNumber("at"u8, refund.At);
            json.WriteNumber("state"u8, (int)refund.State);
            json.WriteNumber("ended"u8, refund.EndedAt);
            Optional(json, "notify", refund.NotifyUrl);
            json.WriteBoolean("v3"u8, refund.IsV3);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private Order Read(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return Read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw NoBook(line, e.Message, e);
        }
    }

    private InvalidDataException NoBook(string line, string why, Exception? inner = null) =>
        new($"{file!.Name} is no book of this program: '{(line.Length > 40 ? line[..40] + "..." : line)}' ({why})", inner);

    private static Order Read(JsonElement json)
    {
        var key = new OrderKey((Channel)json.GetProperty("channel").GetInt32(), Text(json, "merchant")!, Text(json, "order")!);
        var order = new Order(key, Number(json, "fen"), UInt128.Parse(Text(json, "code")!, NumberStyles.HexNumber, CultureInfo.InvariantCulture), Number(json, "at"))
        {
            Sequence = Number(json, "sequence"),
            State = (OrderState)Number(json, "state"),
            Application = Text(json, "application")!,
            Subject = Text(json, "subject")!,
            Device = Text(json, "device"),
            Attach = Text(json, "attach"),
            NotifyUrl = Text(json, "notify"),
            IsV3 = json.GetProperty("v3").GetBoolean(),
            ChargedAt = Number(json, "charged"),
            RevokedAt = Number(json, "revoked"),
            ReversedFen = Number(json, "reversed"),
            Traits = (Traits)Number(json, "traits"),
            DueAt = Number(json, "due"),
            Next = (OrderState)Number(json, "next"),
            Hidden = json.GetProperty("hidden").GetBoolean(),
            Reversals = (int)Number(json, "reversals"),
        };
        foreach (var item in json.GetProperty("refunds").EnumerateArray())
        {
            order.Add(new Refund(order, Text(item, "number")!, Number(item, "fen"), Number(item, "sequence"), Number(item, "at"))
            {
                State = (RefundState)Number(item, "state"),
                EndedAt = Number(item, "ended"),
                NotifyUrl = Text(item, "notify"),
                IsV3 = item.GetProperty("v3").GetBoolean(),
            });
        }

        return order;
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();
}
