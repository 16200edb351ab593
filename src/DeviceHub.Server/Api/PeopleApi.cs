using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;

namespace DeviceHub.Server.Api;

/// <summary>People's accounts, for owners.</summary>
internal static class PeopleApi
{
    internal sealed record NewPerson(string? UserName, string? Role);

    internal sealed record PersonChange(string? Role, bool? Enabled);

    /// <param name="Password">For one sign-in, and shown this once.</param>
    internal sealed record WithPassword(Person Person, string Password);

    public static void MapPeople(this RouteGroupBuilder api)
    {
        var people = api.MapGroup("").RequireAuthorization(Policies.Own);
        people.MapGet("/people", (IPeople port, CancellationToken stop) => port.List(stop)).Produces<IReadOnlyList<Person>>().WithSummary("Everybody who may sign in, by name");
        people.MapPost("/people", Create).Produces<WithPassword>(201).ProducesValidationProblem().ProducesProblem(409)
            .WithSummary("Lets a person in; the password is in this answer and nowhere else, and opens only the page where the person chooses an own one");
        people.MapPatch("/people/{id}", Change).Produces(204).ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Changes a person's role (owner, operator, read-only), or shuts the person out and lets in again");
        people.MapPost("/people/{id}/password", async (string id, IPeople port, AuditTrail audit, CancellationToken stop) => Given(id, await port.ResetPassword(audit.Actor(), id, stop)))
            .Produces<WithPassword>(201).ProducesProblem(404).ProducesProblem(409).WithSummary("Gives a person who forgot the password one for one sign-in");
        people.MapPost("/people/{id}/second-factor/reset", async (string id, IPeople port, AuditTrail audit, CancellationToken stop) => Done(id, await port.ResetSecondFactor(audit.Actor(), id, stop)))
            .Produces(204).ProducesProblem(404).ProducesProblem(409).WithSummary("Takes away the second factor of who lost it");
        people.MapPost("/people/{id}/sessions/end", async (string id, IPeople port, AuditTrail audit, CancellationToken stop) => Done(id, await port.EndSessions(audit.Actor(), id, stop)))
            .Produces(204).ProducesProblem(404).WithSummary("Ends all sessions of a person at once");
    }

    private static async Task<IResult> Create(NewPerson body, IPeople port, AuditTrail audit, CancellationToken stop)
    {
        var check = new FieldCheck();
        var name = check.Text(body.UserName, "userName", 64);
        check.That(body.Role is not null && Roles.All.Contains(body.Role), "role", "one of: " + string.Join(", ", Roles.All));
        return check.Problem ?? Given(name, await port.Create(audit.Actor(), name, body.Role!, stop));
    }

    private static async Task<IResult> Change(string id, PersonChange body, IPeople port, AuditTrail audit, CancellationToken stop)
    {
        var check = new FieldCheck();
        check.That(body.Role is null || Roles.All.Contains(body.Role), "role", "one of: " + string.Join(", ", Roles.All));
        check.That(body.Role is not null || body.Enabled is not null, "role", "or enabled is needed");
        return check.Problem ?? Done(id, await port.Change(audit.Actor(), id, body.Role, body.Enabled, stop));
    }

    private static IResult Given(string id, GivenPassword given) => given is { Person: { } person, Password: { } password }
        ? Results.Created((string?)null, new WithPassword(person, password))
        : Done(id, given.Fault);

    private static IResult Done(string id, PersonFault? fault) => fault switch
    {
        null => Results.NoContent(),
        PersonFault.Unknown => Problems.NotFound("person " + id),
        PersonFault.UserName => Problems.Field("userName", "2 to 64 letters, digits or . _ - @"),
        PersonFault.UserNameTaken => Problems.Conflict("there is a person of that name"),
        PersonFault.LastOwner => Problems.Conflict("the hub would have no owner who can sign in"),
        PersonFault.TooMany => Problems.Conflict("there are as many people as People:MaxPeople allows"),
        _ => Problems.Conflict("it is so already"),
    };
}
