using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;

namespace DeviceHub.Server.Api;

/// <summary>Payments that the hub makes for a terminal through the test channel.</summary>
internal static class TestPaymentsApi
{
    internal sealed record Wish(string? Ending);

    internal sealed record Begun(string SerialNumber, string RequestId, long AmountFen, PaymentStage Stage, PaymentResult Result);

    public static void MapTestPayments(this RouteGroupBuilder api) =>
        api.MapPost("/terminals/{serialNumber}/test-payments", Pay).RequireAuthorization(Policies.Operate)
            .Produces<Begun>(202).ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Makes a payment of some fen through the Sandbox, to see that the way behind a terminal works")
            .WithDescription(
                "ending: approved, declined or inDoubt. Only where the merchant has no account that moves money. Its request id and order number begin with test-; "
                + "sums leave it out, and the terminal is told nothing of it.");

    private static async Task<IResult> Pay(string serialNumber, Wish body, TestPayments tests, AuditTrail audit)
    {
        var check = new FieldCheck();
        var ending = check.OneOf<TestEnding>(body.Ending ?? "", "ending");
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var answer = await tests.Pay(serialNumber, ending!.Value, audit.Actor());
        return answer switch
        {
            { Found: false } => Problems.NotFound("terminal " + serialNumber),
            { Refusal: { } refusal } => Problems.Of(refusal, "serialNumber"),
            { View: { } view } => Results.Accepted(
                $"/api/v1/payments/{view.Id}", new Begun(serialNumber, view.Id.RequestId, view.AmountFen, view.Stage, view.Result)),
            _ => throw new InvalidOperationException("a test was neither begun nor refused"),
        };
    }
}
