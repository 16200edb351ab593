using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeviceHub.Tools.RoutingCore;

internal sealed record CoreOptions
{
    public required string Url { get; init; }

    public required string Account { get; init; }

    public required string Secret { get; init; }

    /// <summary>Null: kept in memory.</summary>
    public string? Book { get; init; }

    public TimeSpan HangFor { get; init; } = TimeSpan.FromMinutes(2);

    public TimeSpan PasswordAfter { get; init; } = TimeSpan.FromSeconds(2);
}

internal sealed record PaymentBody(string OrderNumber, long AmountFen, string Currency, string Wallet, string Code, string? Subject, string? Terminal, DateTimeOffset? ExpiresAt);

internal sealed record ReversalBody(string OrderNumber, long AmountFen);

internal sealed record RefundBody(string OrderNumber, string RefundNumber, long AmountFen, long RefundFen);

internal sealed record AnswerBody(
    string State, string? OrderNumber = null, string? RefundNumber = null, long? AmountFen = null, long? RefundFen = null, string? Reason = null, string? Code = null, string? Text = null,
    long? PaidFen = null, string? Transaction = null);

/// <summary>The contract over HTTP. Each request is checked before it is looked at; each answer is signed for its request.</summary>
internal sealed class CoreServer : IAsyncDisposable
{
    private const int MaxBody = 64 * 1024;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly CoreOptions options;
    private readonly TimeProvider clock;
    private readonly Signatures signatures;
    private readonly WebApplication app;
    private string? olderSignature;
    private byte[]? olderBody;

    public CoreServer(CoreOptions options, TimeProvider clock)
    {
        (this.options, this.clock) = (options, clock);
        (signatures, Book) = (new Signatures(options, clock), new CoreBook(options.Book));

        // It reads no appsettings.json anew; its folder and all below it would be watched for that.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(options.Url).ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBody);
        app = builder.Build();
        app.MapGet("/v1/account", http => Serve(http, _ => new AnswerBody("active")));
        app.MapPost("/v1/payments", http => Serve(http, Pay));
        app.MapGet("/v1/payments/{order}", (HttpContext http, string order) => Serve(http, _ => Tell(Current(order), order)));
        app.MapPost("/v1/payments/{order}/reversal", (HttpContext http, string order) => Serve(http, body => Reverse(order, body)));
        app.MapPost("/v1/payments/{order}/refunds", (HttpContext http, string order) => Serve(http, body => Refund(order, body)));
        app.MapGet("/v1/payments/{order}/refunds/{refund}", (HttpContext http, string order, string refund) => Serve(http, _ => Tell(order, refund, asked: true)));
        app.MapGet("/book", () => Results.Json(Book.Orders, Json));
    }

    public CoreBook Book { get; }

    public string Url => app.Urls.Single();

    /// <summary>Requests that were turned away, by why.</summary>
    public Dictionary<string, int> TurnedAway { get; } = [];

    public Task Start() => app.StartAsync();

    public Task Stopped() => app.WaitForShutdownAsync();

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Book.Dispose();
    }

    private async Task Serve(HttpContext http, Func<byte[], AnswerBody> act)
    {
        using var received = new MemoryStream();
        await http.Request.Body.CopyToAsync(received, http.RequestAborted);
        var body = received.ToArray();
        if (signatures.Fault(http.Request, body) is { } fault)
        {
            lock (TurnedAway)
            {
                TurnedAway[fault] = TurnedAway.GetValueOrDefault(fault) + 1;
            }

            await Results.Json(new { error = fault }, statusCode: fault is "busy" ? 503 : 401).ExecuteAsync(http);
            return;
        }

        AnswerBody answer;
        try
        {
            answer = act(body);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            answer = new("unknown", Code: "malformed", Text: "the body cannot be read");
        }

        var isPayment = http.Request.Path == "/v1/payments" && answer.State is "paid";
        await Answer(http, JsonSerializer.SerializeToUtf8Bytes(answer, Json), isPayment ? answer.AmountFen!.Value % 100 : 0);
    }

    private async Task Answer(HttpContext http, byte[] body, long fault)
    {
        const int Huge = 100 * 1024 * 1024;
        if (fault == 93)
        {
            await Task.Delay(options.HangFor, clock, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var status = fault == 97 ? 500 : 200;
        body = fault == 96 ? body[..(body.Length / 2)] : body;
        var signature = signatures.OfAnswer(http.Request.Headers["DeviceHub-Nonce"].ToString(), status, body);
        if (fault == 90 && olderBody is not null)
        {
            (signature, body) = (olderSignature!, olderBody);
        }

        (olderSignature, olderBody) = (signature, body);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.Headers["DeviceHub-Signature"] = fault == 94 ? new string('0', 64) : signature;
        if (fault != 95)
        {
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
            return;
        }

        var part = new byte[64 * 1024];
        Array.Fill(part, (byte)' ');
        for (var sent = 0; sent < Huge && !http.RequestAborted.IsCancellationRequested; sent += part.Length)
        {
            await http.Response.Body.WriteAsync(part, CancellationToken.None);
        }
    }

    private AnswerBody Pay(byte[] body)
    {
        var payment = Read<PaymentBody>(body);
        if (payment is not { OrderNumber.Length: >= 1 and <= 64, AmountFen: > 0, Currency: "CNY", Code.Length: >= 10 and <= 32 })
        {
            return new("unknown", payment.OrderNumber, Code: "malformed", Text: "order number, amount, currency or code is not right");
        }

        // What is known already stays what it is, however late it is sent again.
        var code = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(payment.Code)));
        var order = Book.Change(payment.OrderNumber, known => known ?? new(
            payment.OrderNumber, payment.AmountFen, code, payment.ExpiresAt <= clock.GetUtcNow() ? "notSent" : First(payment.AmountFen), clock.GetUtcNow(), 0, []));
        return order is null
            ? new("notSent", payment.OrderNumber, Code: "full", Text: "the book is full")
            : order.AmountFen != payment.AmountFen || order.Code != code
                ? new("conflict", payment.OrderNumber, Code: "order-number-used", Text: "the order number was used with another amount or code")
                : Tell(order, order.Number);
    }

    private AnswerBody Reverse(string number, byte[] body)
    {
        var reversal = Read<ReversalBody>(body);
        if (reversal.OrderNumber != number)
        {
            return new("unknown", number, Code: "malformed");
        }

        // An order that is not here yet must not be charged when it comes late: its number is taken.
        Current(number);
        var order = Book.Change(number, known => known switch
        {
            null => new(number, reversal.AmountFen, "", "closed", clock.GetUtcNow(), 1, []),
            { State: "paid", Reversals: 0 } when known.AmountFen % 100 == 98 => known with { Reversals = 1 },
            { State: "paid" } => known with { State = "reversed", Reversals = known.Reversals + 1 },
            { State: "reversed" or "closed" } => known,
            _ => known with { State = "closed" },
        });
        return order switch
        {
            null => new("unknown", number, Code: "full"),
            { State: "paid" } => Tell(order with { State = "reversed" }, number),
            _ => Tell(order, number),
        };
    }

    private AnswerBody Refund(string number, byte[] body)
    {
        var refund = Read<RefundBody>(body);
        if (refund is not { RefundNumber.Length: >= 1 and <= 64, RefundFen: > 0 } || refund.OrderNumber != number)
        {
            return new("unknown", number, refund.RefundNumber, Code: "malformed");
        }

        Current(number);
        var order = Book.Change(number, known => known is { State: "paid" } && !known.Refunds.ContainsKey(refund.RefundNumber) && refund.RefundFen <= known.NetFen
            ? known with { Refunds = new(known.Refunds) { [refund.RefundNumber] = refund.RefundFen } }
            : known);
        return order is null
            ? new("failed", number, refund.RefundNumber, Code: "no-such-order")
            : !order.Refunds.TryGetValue(refund.RefundNumber, out var fen)
                ? new("failed", number, refund.RefundNumber, Code: "above-the-rest", Text: "more than is left of the order, or it is not paid")
                : fen != refund.RefundFen ? new("unknown", number, refund.RefundNumber, Code: "refund-number-used") : Tell(number, refund.RefundNumber, asked: false);
    }

    /// <summary>The order as it is now: who types a password has typed it after a while.</summary>
    private Order? Current(string number) => Book.Change(
        number, known => known is { State: "awaitingPayer" } && clock.GetUtcNow() - known.At >= options.PasswordAfter ? known with { State = "paid" } : known);

    private static AnswerBody Tell(Order? order, string number) => order is null
        ? new("notFound", number)
        : new(
            order.State, order.Number, AmountFen: order.AmountFen, Reason: order.State is "declined" ? "insufficientFunds" : null, PaidFen: order.State is "paid" ? order.AmountFen : null,
            Transaction: order.State is "paid" or "reversed" ? "core-" + order.Number : null);

    private AnswerBody Tell(string number, string refund, bool asked) => Book.Find(number)?.Refunds.TryGetValue(refund, out var fen) == true
        ? new(fen % 100 == 92 && !asked ? "pending" : "refunded", number, refund, RefundFen: fen)
        : new("notFound", number, refund);

    private static string First(long amountFen) => (amountFen % 100) switch { 91 => "declined", 92 => "awaitingPayer", 99 => "notSent", _ => "paid" };

    private static T Read<T>(byte[] body) => JsonSerializer.Deserialize<T>(body, Json) ?? throw new JsonException("null");
}
