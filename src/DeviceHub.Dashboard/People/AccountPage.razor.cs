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

    /// <summary>The person has just chosen the first own password.</summary>
    [SupplyParameterFromQuery]
    public bool Welcome { get; set; }

    [Inject]
    private IAccount Account { get; set; } = default!;

    [Inject]
    private ISessions Sessions { get; set; } = default!;

    [Inject]
    private Me Me { get; set; } = default!;

    protected override async Task Read(CancellationToken stop)
    {
        var id = await Me.Id();
        (own, person, sessions) = (await Me.Session(), await Account.Find(id, stop), await Sessions.List(id, stop));
    }

    private async Task End(Session session)
    {
        await Sessions.End(await Me.Actor(), await Me.Id(), session.Id, Closed);
        await Refresh();
    }

    private async Task EndOthers()
    {
        await Sessions.EndOthers(await Me.Actor(), await Me.Id(), own, Closed);
        await Refresh();
    }
}
