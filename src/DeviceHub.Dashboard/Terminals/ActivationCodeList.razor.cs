using System.Web;
using DeviceHub.Core.Live;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using Microsoft.AspNetCore.Components.Routing;

namespace DeviceHub.Dashboard.Terminals;

/// <summary>Activation codes, newest first; uses left change while one looks.</summary>
public partial class ActivationCodeList
{
    private const string Path = "/activation-codes";
    private const int PageRows = 50;
    private const int MaxPages = 200;

    private ActivationCodeFilter filter = new(null, null, null);
    private IReadOnlyList<ActivationCodeSummary> codes = [];
    private ActivationCodeSummary? asked;
    private string? refused;
    private string? fresh;
    private string? store;
    private string? text;
    private string state = "";
    private bool revoking;
    private bool making;
    private bool more;
    private int page = 1;
    private int days = 7;
    private int moreUses = 1;

    private bool IsPlain => filter == new ActivationCodeFilter(null, null, null);

    protected override async Task OnInitializedAsync()
    {
        Navigation.LocationChanged += Moved;
        Take();
        Follow(LiveFeed.Terminals);
        await base.OnInitializedAsync();
    }

    protected override async Task Read(CancellationToken stop)
    {
        var found = await Codes.Find(filter, (page - 1) * PageRows, PageRows + 1, stop);
        await Who.Know(found.Select(c => c.CreatedBy), stop);
        (codes, more) = ([.. found.Take(PageRows)], found.Count > PageRows && page < MaxPages);
    }

    private void Moved(object? sender, LocationChangedEventArgs e)
    {
        if (new Uri(e.Location).AbsolutePath == Path)
        {
            Take();
            _ = InvokeAsync(Refresh);
        }
    }

    /// <summary>The address is what is searched for, and what stands in the fields.</summary>
    private void Take()
    {
        var values = HttpUtility.ParseQueryString(new Uri(Navigation.Uri).Query);
        text = values["q"]?.Trim() is { Length: > 0 and <= 100 } q ? q : null;
        store = values["store"] is { Length: > 0 and <= 64 } s ? s : null;
        state = Enum.TryParse<ActivationCodeState>(values["state"], ignoreCase: true, out var one) && Enum.IsDefined(one) ? one.ToString() : "";
        filter = new(store, state.Length > 0 ? one : null, text);
        page = int.TryParse(values["page"], out var number) && number is >= 1 and <= MaxPages ? number : 1;
    }

    private void Go() => Navigation.NavigateTo(Address(1));

    private string Address(int to)
    {
        (string Name, string? Value)[] all =
        [
            ("q", text?.Trim()), ("state", System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(state)), ("store", store), ("page", to > 1 ? to.ToString(System.Globalization.CultureInfo.InvariantCulture) : null),
        ];
        var given = string.Join('&', all.Where(p => !string.IsNullOrEmpty(p.Value)).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"));
        return given.Length == 0 ? Path : $"{Path}?{given}";
    }

    private void Ask(ActivationCodeSummary code, bool revoke)
    {
        (asked, revoking, days, moreUses, refused) = (code, revoke, 7, 0, null);
        Doing.Forget();
    }

    private async Task Made(string? id)
    {
        (making, fresh) = (false, id);
        await Refresh();
    }

    private Task Extend(ActivationCodeSummary code) => Do(async by =>
    {
        var valid = TimeSpan.FromDays(Math.Clamp(days, 1, ActivationCodeRules.MaxValid.Days));
        refused = await Codes.Extend(code.Id, valid, Math.Clamp(moreUses, 0, ActivationCodeRules.MaxUses), by, Closed) switch
        {
            Extended.Done => null,
            Extended.TooManyUses => T["TooManyUses", ActivationCodeRules.MaxUses].Value,
            _ => T["Gone"].Value,
        };
    });

    private Task Revoke(ActivationCodeSummary code) => Do(async by => refused = await Codes.Revoke(code.Id, by, Closed) ? null : T["Gone"].Value);

    /// <summary>The question stays, with what was typed, until it is done.</summary>
    private async Task Do(Func<Actor, Task> act)
    {
        if (asked is null)
        {
            return;
        }

        refused = null;
        if (await Doing.Do(Policies.Operate, act) && refused is null)
        {
            asked = null;
        }

        await Refresh();
    }

    private static string Tone(ActivationCodeState state) => state switch
    {
        ActivationCodeState.Open => "good",
        ActivationCodeState.Expired => "warning",
        ActivationCodeState.Revoked => "bad",
        _ => "",
    };

    public override async ValueTask DisposeAsync()
    {
        Navigation.LocationChanged -= Moved;
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
