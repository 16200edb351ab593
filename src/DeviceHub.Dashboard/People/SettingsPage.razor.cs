using DeviceHub.Core.People;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Localization;

namespace DeviceHub.Dashboard.People;

/// <summary>Keys of programs, and where the hub's other pages are. For owners.</summary>
public partial class SettingsPage
{
    private const string Charge = "charge";
    private const int Step = 50;
    private const int Most = 500;

    private IReadOnlyList<ApiKeyEntry> keys = [];
    private int shown = Step;
    private bool more;
    private string name = "";
    private string scope = "read";
    private string merchant = "";
    private string? wrong;
    private CreatedApiKey? made;
    private ApiKeyEntry? asked;

    [Inject]
    private IStringLocalizer<SettingsPage> T { get; set; } = default!;

    [Inject]
    private IApiKeys Keys { get; set; } = default!;

    [Inject]
    private Who Who { get; set; } = default!;

    [Inject]
    private Doing Doing { get; set; } = default!;

    protected override async Task Read(CancellationToken stop)
    {
        var read = await Keys.List(0, shown + 1, stop);
        await Who.Know(read.Select(k => k.CreatedBy), stop);
        (keys, more) = ([.. read.Take(shown)], read.Count > shown && shown < Most);
    }

    private string State(ApiKeyEntry key) => key.Revoked is not null ? "Revoked" : key.Expires <= Clock.GetUtcNow() ? "Expired" : "Open";

    private Task More()
    {
        shown += Step;
        return Refresh();
    }

    private async Task Create()
    {
        if (name.Length == 0)
        {
            return;
        }

        await Doing.Do(Policies.Own, async by =>
        {
            var key = await Keys.Create(by, name, [scope], null, scope == Charge ? merchant.Trim() : null, Closed);
            (made, wrong, asked) = (key.Fault is null ? key : null, key.Fault is { } fault ? T[$"Fault{fault}"].Value : null, null);
            name = key.Fault is null ? "" : name;
        });
        await Refresh();
    }

    private async Task Revoke()
    {
        if (asked is { } key && await Doing.Do(Policies.Own, by => Keys.Revoke(by, key.Id, Closed)))
        {
            asked = null;
        }

        await Refresh();
    }
}
