using DeviceHub.Core.People;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Localization;

namespace DeviceHub.Dashboard.People;

/// <summary>Everybody who may sign in, for owners.</summary>
public partial class PeoplePage
{
    private IReadOnlyList<Person> people = [];
    private string own = "";
    private string name = "";
    private string role = Roles.ReadOnly;
    private string? wrong;
    private GivenPassword? given;
    private Deed? asked;

    [Inject]
    private IStringLocalizer<PeoplePage> T { get; set; } = default!;

    [Inject]
    private IPeople People { get; set; } = default!;

    [Inject]
    private Me Me { get; set; } = default!;

    [Inject]
    private Doing Doing { get; set; } = default!;

    protected override async Task Read(CancellationToken stop) => (own, people) = (await Me.Id(), await People.List(stop));

    private static string State(Person person) => person.Disabled ? "Disabled" : person.LockedUntil is not null ? "Locked" : person.MustSetUp ? "Invited" : "Active";

    private static string Tone(Person person) => State(person) switch { "Active" => "good", "Disabled" => "bad", "Locked" => "warning", _ => "main" };

    private void Ask(Person person, string deed)
    {
        (asked, given, wrong) = (new(person, deed), null, null);
        Doing.Forget();
    }

    private Task Create() => name.Length == 0 ? Task.CompletedTask : Act(async by =>
    {
        var made = await People.Create(by, name.Trim(), role, Closed);
        if (made.Fault is null)
        {
            (given, name) = (made, "");
        }

        return made.Fault;
    });

    private Task SetRole(Person person, string to) => Act(by => People.Change(by, person.Id, to, null, Closed));

    private async Task Do()
    {
        if (asked is not var (person, deed))
        {
            return;
        }

        await Act(async by =>
        {
            switch (deed)
            {
                case "Password":
                    var made = await People.ResetPassword(by, person.Id, Closed);
                    given = made.Fault is null ? made : null;
                    return made.Fault;
                case "Factor":
                    return await People.ResetSecondFactor(by, person.Id, Closed);
                case "Sessions":
                    return await People.EndSessions(by, person.Id, Closed);
                default:
                    return await People.Change(by, person.Id, null, deed == "Enable", Closed);
            }
        });
        asked = Doing.Fault is null ? null : asked;
    }

    private async Task Act(Func<Actor, Task<PersonFault?>> act)
    {
        wrong = null;
        await Doing.Do(Policies.Own, async by => wrong = await act(by) is { } fault ? W[$"Person{fault}"].Value : null);
        await Refresh();
    }

    /// <param name="Name">Of the deed, as its texts are named.</param>
    private sealed record Deed(Person Person, string Name);
}
