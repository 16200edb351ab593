using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using DeviceHub.Core;
using DeviceHub.Core.Charges;
using DeviceHub.Protocol;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>Charges from the till: an amount that a terminal collects, watched until it ended, or cancelled.</summary>
internal static class ChargesApi
{
    private const string Path = "/terminals/{serialNumber}/charges";
    private const int MinLifetimeSeconds = 10;
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    /// <param name="OrderNumber">The till's own, 1 to 32 of A-Z a-z 0-9 _ -: it is paid at most once.</param>
    /// <param name="ExpiresInSeconds">How long a scan is waited for; left out: the hub's own.</param>
    /// <param name="IdempotencyKey">1 to 64 characters of the till's, unique at the merchant.</param>
    internal sealed record NewCharge(long? AmountFen, string? OrderNumber, int? ExpiresInSeconds, string? IdempotencyKey);

    /// <param name="Payment">serial number/request id.</param>
    internal sealed record ListedCharge(
        string Id, string OrderNumber, long AmountFen, ChargeStage Stage, ChargeEnd Ended, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? EndedAt, string? Payment);

    public static void MapCharges(this RouteGroupBuilder api)
    {
        api.MapPost(Path, Create).RequireAuthorization(Permission.Charge).Produces<ChargeView>(201).Produces<ChargeView>(200)
            .ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409).ProducesProblem(422)
            .WithSummary("Has a terminal collect an amount: the next scan of a payment code there pays it")
            .WithDescription(
                "idempotencyKey: the same key with the same contents is the same charge (200), however often it is asked for; with others: 422. One open charge a terminal and an "
                + "order number, and no second payment of a paid order: 409, with code and other. The terminal has seconds to say that it collects (stage collecting); else the charge ends as unreachable.");
        api.MapGet(Path, List).Produces<PageOf<ListedCharge>>().WithSummary("Charges of a terminal, newest first");
        api.MapGet(Path + "/{id}", Get).Produces<ChargeView>().ProducesValidationProblem().ProducesProblem(404).ProducesProblem(503)
            .WithSummary("One charge with its payment, now or as soon as it changes")
            .WithDescription("wait: seconds to wait at most until the stage is another than known; known left out: than it is now. The stage closed is the last one; ended says how.");
        api.MapGet(Path + "/{id}/events", Events).Produces(200, contentType: "text/event-stream").ProducesProblem(404).ProducesProblem(503)
            .WithSummary("The charge as it is and at each change, as server-sent events, until it is closed");
        api.MapPost(Path + "/{id}/cancel", Cancel).RequireAuthorization(Permission.Charge).Produces<ChargeView>(202).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Closes a charge, or cancels the payment that it has become")
            .WithDescription("What is paid is not cancelled but refunded: 409. The answer says how the charge stands; the payment's cancel ends as the payment says.");
    }

    private static async Task<IResult> Create(
        string serialNumber, NewCharge body, IGrainFactory grains, IOptions<ChargeOptions> options, AuditTrail audit, TimeProvider clock, HttpContext http)
    {
        var check = new FieldCheck();
        check.That(body.AmountFen is >= 1, "amountFen", "at least 1 fen is needed");
        check.That(body.OrderNumber is { } order && Names.IsOrderNumber(order), "orderNumber", "1 to 32 of A-Z a-z 0-9 _ - are needed");
        var key = check.Text(body.IdempotencyKey, "idempotencyKey", 64);
        var seconds = body.ExpiresInSeconds ?? options.Value.LifetimeSeconds;
        check.That(seconds >= MinLifetimeSeconds && seconds <= options.Value.MaxLifetimeSeconds, "expiresInSeconds", $"{MinLifetimeSeconds} to {options.Value.MaxLifetimeSeconds}");
        if (check.Problem is { } fault)
        {
            return fault;
        }

        if (!Names.IsSerialNumber(serialNumber))
        {
            return Problems.NotFound("terminal " + serialNumber);
        }

        var wanted = new Core.Charges.NewCharge(serialNumber, body.AmountFen!.Value, body.OrderNumber!, TimeSpan.FromSeconds(seconds), key, AuditTrail.Who(http.User), Permission.MerchantOf(http.User));
        var answer = await grains.GetGrain<IChargeGrain>(NewId(clock.GetUtcNow())).Open(wanted);
        if (answer.View is not { } charge)
        {
            return Refused(answer, serialNumber);
        }

        if (!answer.IsNew)
        {
            return Results.Ok(charge);
        }

        await audit.Write("charge.create", "terminal:" + serialNumber, null, new { charge.Id, charge.AmountFen, charge.OrderNumber, charge.ExpiresAt });
        return Results.Created($"/api/v1/terminals/{serialNumber}/charges/{charge.Id}", charge);
    }

    private static IResult Refused(ChargeAnswer answer, string serialNumber) => answer.Refusal! switch
    {
        { Code: RefusalCode.NotActive } => Problems.NotFound("active terminal " + serialNumber),
        { Code: RefusalCode.KeyReused } reused => Results.Problem(
            statusCode: StatusCodes.Status422UnprocessableEntity, detail: reused.Detail, extensions: new Dictionary<string, object?> { ["code"] = nameof(RefusalCode.KeyReused), ["other"] = answer.Other }),
        var refusal => Problems.Of(refusal, "amountFen", ("other", answer.Other)),
    };

    private static async Task<IResult> List(HubReads reads, Paging paging, string serialNumber, int? page, int? pageSize, ClaimsPrincipal user, CancellationToken stop)
    {
        var own = Permission.MerchantOf(user);
        return paging.Check(page, pageSize) ?? Results.Ok(await reads.Run(
            (db, cancel) => paging.Read(
                db.Charges.AsNoTracking().Where(c => c.Sn == serialNumber && (own == null || c.MerchantId == own)).OrderByDescending(c => c.CreatedAt).ThenByDescending(c => c.Id),
                page,
                pageSize,
                c => new ListedCharge(c.Id, c.OrderNumber, c.AmountFen, c.Stage, c.Ended, c.CreatedAt, c.ExpiresAt, c.EndedAt, c.Payment),
                cancel),
            stop));
    }

    private static async Task<IResult> Get(string serialNumber, string id, string? known, int? wait, Waits waits, ClaimsPrincipal user, CancellationToken stop)
    {
        var check = new FieldCheck();
        var stage = check.OneOf<ChargeStage>(known, "known");
        check.That(wait is null || (wait >= 1 && wait <= waits.MaxWaitSeconds), "wait", $"1 to {waits.MaxWaitSeconds} seconds");
        check.That(known is null || wait is not null, "known", "means something with wait only");
        if (check.Problem is { } fault)
        {
            return fault;
        }

        if (await waits.Now(serialNumber, id, user) is not { } charge)
        {
            return Problems.NotFound("charge " + id);
        }

        if (wait is not { } seconds || charge.Stage != (stage ?? charge.Stage) || charge.Stage == ChargeStage.Closed)
        {
            return Results.Ok(charge);
        }

        using var place = waits.TryTake(stop);
        return place is null ? waits.Full() : Results.Ok(await waits.Next(charge, TimeSpan.FromSeconds(seconds), place.Stopped));
    }

    private static async Task<IResult> Events(string serialNumber, string id, Waits waits, IOptions<JsonOptions> json, HttpContext http, CancellationToken stop)
    {
        if (await waits.Now(serialNumber, id, http.User) is not { } charge)
        {
            return Problems.NotFound("charge " + id);
        }

        var place = waits.TryTake(stop);
        if (place is null)
        {
            return waits.Full();
        }

        http.Response.RegisterForDispose(place);
        http.Response.Headers.CacheControl = "no-cache";
        return Results.Stream(body => Write(body, charge, waits, json.Value.SerializerOptions, place.Stopped, stop), "text/event-stream");
    }

    /// <summary>Until the charge is closed, the reader is gone, the hub stops or the stream is old: the reader then connects again.</summary>
    private static async Task Write(Stream body, ChargeView charge, Waits waits, JsonSerializerOptions json, CancellationToken stopped, CancellationToken gone)
    {
        var from = waits.Clock.GetTimestamp();
        await Send($"event: charge\ndata: {JsonSerializer.Serialize(charge, json)}\n\n");
        while (charge.Stage != ChargeStage.Closed && waits.Clock.GetElapsedTime(from) < waits.LongestStream)
        {
            var next = await waits.Next(charge, KeepAlive, stopped);
            if (stopped.IsCancellationRequested)
            {
                return;
            }

            await Send(next.Stage == charge.Stage ? ": still " + JsonNamingPolicy.CamelCase.ConvertName(charge.Stage.ToString()) + "\n\n" : $"event: charge\ndata: {JsonSerializer.Serialize(next, json)}\n\n");
            charge = next;
        }

        async Task Send(string text)
        {
            await body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), gone);
            await body.FlushAsync(gone);
        }
    }

    private static async Task<IResult> Cancel(string serialNumber, string id, Waits waits, IGrainFactory grains, AuditTrail audit, HttpContext http)
    {
        if (await waits.Now(serialNumber, id, http.User) is not { } before || await grains.GetGrain<IChargeGrain>(id).Cancel(AuditTrail.Who(http.User)) is not { } after)
        {
            return Problems.NotFound("charge " + id);
        }

        if (after.Ended == ChargeEnd.Paid || after.Payment?.Result == Core.Payments.PaymentResult.Approved)
        {
            return Problems.Conflict($"the charge is paid; to give the money back: POST /api/v1/payments/{after.Payment!.Id}/refunds");
        }

        await audit.Write("charge.cancel", "terminal:" + serialNumber, new { before.Id, before.Stage, before.Ended }, new { after.Stage, after.Ended });
        return Results.Accepted((string?)null, after);
    }

    /// <summary>It begins with the time, so that the rows of a day lie beside each other.</summary>
    private static string NewId(DateTimeOffset now) => $"c{now.ToUnixTimeMilliseconds():x11}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";

    /// <summary>Questions that wait for news, bounded in number and time; they end when the hub stops.</summary>
    internal sealed class Waits(IGrainFactory grains, TimeProvider clock, IOptions<ChargeOptions> options, IHostApplicationLifetime lifetime)
    {
        private static readonly TimeSpan OneCall = TimeSpan.FromSeconds(20);
        private int taken;

        /// <summary>How many wait.</summary>
        public int Taken => Volatile.Read(ref taken);

        public TimeProvider Clock => clock;

        public int MaxWaitSeconds => options.Value.MaxWaitSeconds;

        public TimeSpan LongestStream => TimeSpan.FromSeconds(options.Value.StreamSeconds);

        /// <summary>Null: this terminal has no such charge, or it is no business of the caller's. An id that cannot be one wakes no grain.</summary>
        public async Task<ChargeView?> Now(string serialNumber, string id, ClaimsPrincipal user) =>
            Names.IsRequestId(id) && await grains.GetGrain<IChargeGrain>(id).Follow(null, TimeSpan.Zero) is { } view
            && view.SerialNumber == serialNumber && (Permission.MerchantOf(user) ?? view.MerchantId) == view.MerchantId ? view : null;

        /// <summary>As it stands when its stage has changed, the time is over or the hub stops.</summary>
        public async Task<ChargeView> Next(ChargeView charge, TimeSpan atMost, CancellationToken stopped)
        {
            var from = clock.GetTimestamp();
            var last = charge;
            while (last.Stage == charge.Stage && atMost - clock.GetElapsedTime(from) is { Ticks: > 0 } left && !stopped.IsCancellationRequested)
            {
                try
                {
                    last = (await grains.GetGrain<IChargeGrain>(charge.Id).Follow(charge.Stage, left < OneCall ? left : OneCall).WaitAsync(stopped))!;
                }
                catch (OperationCanceledException)
                {
                    break;
                }
            }

            return last;
        }

        /// <summary>Null: as many wait as may.</summary>
        public Place? TryTake(CancellationToken gone)
        {
            if (Interlocked.Increment(ref taken) <= options.Value.MaxWaiting)
            {
                return new Place(this, CancellationTokenSource.CreateLinkedTokenSource(gone, lifetime.ApplicationStopping));
            }

            Interlocked.Decrement(ref taken);
            return null;
        }

        public IResult Full() => Results.Problem(
            statusCode: StatusCodes.Status503ServiceUnavailable, detail: $"{Taken} questions wait already (Charges:MaxWaiting is {options.Value.MaxWaiting}); ask without wait, or later");

        internal sealed class Place(Waits waits, CancellationTokenSource stopped) : IDisposable
        {
            public CancellationToken Stopped => stopped.Token;

            public void Dispose()
            {
                Interlocked.Decrement(ref waits.taken);
                stopped.Dispose();
            }
        }
    }
}
