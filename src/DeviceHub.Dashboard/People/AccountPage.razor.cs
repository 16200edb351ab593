using DeviceHub.Core.People;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components;

namespace DeviceHub.Dashboard.People;

/// <summary>The own account: password, second factor and sessions.</summary>
public partial class AccountPage
{
    private Person? person;
    private IReadOnlyList<Session> sessions = [];
    private string own = "";

    /// <summary><c>true</c>: the person has just chosen the first own password. Addresses are typed, too: anything else is no fault.</summary>
    [SupplyParameterFromQuery]
    public string? Welcome { get; set; }

    [Inject]
    private IAccount Account { get; set; } = default!;

    [Inject]
    private ISessions Sessions { get; set; } = default!;

    [Inject]
    private Me Me { get; set; } = default!;

    [Inject]
    private Doing Doing { get; set; } = default!;

    protected override async Task Read(CancellationToken stop)
    {
        var id = await Me.Id();
        (own, person, sessions) = (await Me.Session(), await Account.Find(id, stop), await Sessions.List(id, stop));
    }

    private async Task End(Session session)
    {
        await Doing.Do(Policies.Person, async by => await Sessions.End(by, await Me.Id(), session.Id, Closed));
        await Refresh();
    }

    private async Task EndOthers()
    {
        await Doing.Do(Policies.Person, async by => await Sessions.EndOthers(by, await Me.Id(), own, Closed));
        await Refresh();
    }
}
