using DeviceHub.Core.Live;
using DeviceHub.Core.Terminals;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.Components.Web.Virtualization;

namespace DeviceHub.Dashboard.Terminals;

/// <summary>
/// The list. The place of a row is read once; what changes afterwards changes in its row and moves none. Only rows that are on the screen are read.
/// </summary>
public partial class TerminalList
{
    private const int CountTo = 200_000;
    private const int RowsARead = 300;
    private const int MaxKinds = 100;

    private readonly HashSet<string> chosen = new(StringComparer.Ordinal);
    private readonly Typed typed = new();
    private readonly ItemsProviderDelegate<TerminalSummary> rows;
    private TerminalsQuery query = new();
    private TerminalKinds kinds = new([], []);
    private IReadOnlyList<TerminalSummary> shown = [];
    private Dictionary<string, TerminalSummary> latest = [];
    private Virtualize<TerminalSummary>? list;
    private PageScript? script;
    private Exception? rowsFault;
    private TerminalDeed? deed;
    private IReadOnlyList<string> asked = [];
    private string? notice;
    private int count;
    private int rowHeight;
    private bool listening;
    private bool searched;
    private bool all;

    public TerminalList() => rows = Rows;

    private string? Found => !Loaded ? null : count >= CountTo ? T["FoundMany", Format.Count(CountTo)].Value : Format.Plural(T, "Found", count);

    private int Chosen => all ? count : chosen.Count;

    protected override async Task OnInitializedAsync()
    {
        Navigation.LocationChanged += Moved;
        Take();
        Follow(LiveFeed.Terminals);
        await base.OnInitializedAsync();
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            script = new(Scripts, "Terminals/TerminalList.razor.js");
            rowHeight = await script.Call<int>("rowHeight");
            StateHasChanged();
        }
        else if (rowHeight > 0 && !listening && list is not null)
        {
            listening = true;
            await script!.Make("keys", query.At, rowHeight);
        }
    }

    protected override async Task Read(CancellationToken stop)
    {
        // A list without any waits for its first.
        if (searched && (count > 0 || !query.IsPlain))
        {
            var again = await Search.Read([.. shown.Select(t => t.SerialNumber)], stop);
            latest = again.ToDictionary(t => t.SerialNumber);
            return;
        }

        if (kinds.Models.Count == 0)
        {
            kinds = await Search.Kinds(MaxKinds, stop);
        }

        var wanted = query;
        var found = await Search.Count(wanted.Filter, CountTo, stop);
        if (wanted == query)
        {
            (count, searched, rowsFault) = (found, true, null);
            latest.Clear();
            if (list is not null)
            {
                await list.RefreshDataAsync();
            }
        }
    }

    private async ValueTask<ItemsProviderResult<TerminalSummary>> Rows(ItemsProviderRequest request)
    {
        try
        {
            var items = await Search.Find(query.Filter, query.Order, request.StartIndex, Math.Min(request.Count, RowsARead), request.CancellationToken);
            shown = items;
            return new(items, count);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // What Virtualize throws ends the connection.
            rowsFault = e;
            _ = InvokeAsync(StateHasChanged);
            return new([], 0);
        }
    }

    private Task Reload()
    {
        searched = false;
        return Refresh();
    }

    private void Moved(object? sender, LocationChangedEventArgs e)
    {
        if (new Uri(e.Location).AbsolutePath == TerminalsQuery.Path && TerminalsQuery.Parse(new Uri(e.Location).Query) is var wanted && wanted with { At = 0 } != query with { At = 0 })
        {
            Take();
            ChooseNone();
            _ = InvokeAsync(Reload);
        }
    }

    /// <summary>The address is what is searched for, and what stands in the fields.</summary>
    private void Take()
    {
        query = TerminalsQuery.Parse(new Uri(Navigation.Uri).Query);
        var f = query.Filter;
        (typed.Text, typed.Presence, typed.Status) = (f.Text, f.Presence?.ToString() ?? "", f.Status?.ToString() ?? "");
        (typed.Model, typed.Firmware, typed.Drifts) = (f.Model ?? "", f.Firmware ?? "", f.Drifts == true);
    }

    private void Go() => Show(query.With(query.Filter with
    {
        Text = typed.Text?.Trim() is { Length: > 0 } text ? text : null,
        Presence = Enum.TryParse<PresenceFilter>(typed.Presence, out var presence) ? presence : null,
        Status = Enum.TryParse<TerminalStatus>(typed.Status, out var status) ? status : null,
        Model = typed.Model.Length > 0 ? typed.Model : null,
        Firmware = typed.Firmware.Length > 0 ? typed.Firmware : null,
        Drifts = typed.Drifts ? true : null,
    }));

    private void Sort(TerminalSort by) => Show(query with
    {
        // Times begin with the newest.
        Order = query.Order.By == by ? query.Order with { Descending = !query.Order.Descending } : new(by, by is TerminalSort.LastSeen or TerminalSort.Registered),
        At = 0,
    });

    private void Show(TerminalsQuery wanted) => Navigation.NavigateTo(wanted.Address());

    private bool IsChosen(string serialNumber) => all || chosen.Contains(serialNumber);

    private void Toggle(string serialNumber)
    {
        if (all)
        {
            // One less than all is some, and those are not known here: it begins anew with this page's.
            all = false;
            chosen.UnionWith(shown.Select(t => t.SerialNumber));
        }

        if (!chosen.Remove(serialNumber) && chosen.Count < Options.Value.MaxBulk)
        {
            chosen.Add(serialNumber);
        }
    }

    private void ChooseAll() => all = true;

    private void ChooseNone()
    {
        all = false;
        chosen.Clear();
    }

    /// <summary>Asks for those that are chosen, or for all that the filter finds now: what is named in the question is what it is done to.</summary>
    private async Task Ask(TerminalDeed wanted)
    {
        try
        {
            asked = all ? await Matching() : [.. chosen.Order(StringComparer.Ordinal)];
            deed = asked.Count > 0 ? wanted : null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            rowsFault = e;
        }
    }

    private async Task<IReadOnlyList<string>> Matching()
    {
        var found = new List<string>();
        IReadOnlyList<TerminalSummary> page;
        do
        {
            page = await Search.After(query.Filter, found.Count == 0 ? null : found[^1], RowsARead, Closed);
            found.AddRange(page.Select(t => t.SerialNumber));
        }
        while (page.Count == RowsARead && found.Count < Options.Value.MaxBulk);
        return [.. found.Take(Options.Value.MaxBulk)];
    }

    private async Task Done(BulkAnswer? answer)
    {
        var did = deed;
        deed = null;
        if (answer is null)
        {
            return;
        }

        notice = Format.Plural(T, did == TerminalDeed.Suspend ? "Suspended" : "Resumed", answer.Done);
        ChooseNone();
        await Reload();
    }

    private static IEnumerable<string> Choices(IReadOnlyList<string> known, string chosen) => chosen.Length == 0 || known.Contains(chosen) ? known : [chosen, .. known];

    private static string Tone(TerminalState state) => state switch
    {
        TerminalState.Payable => "good",
        TerminalState.Responsive => "main",
        TerminalState.Silent => "warning",
        _ => "",
    };

    public override async ValueTask DisposeAsync()
    {
        Navigation.LocationChanged -= Moved;
        if (script is not null)
        {
            await script.DisposeAsync();
        }

        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>What stands in the fields.</summary>
    private sealed class Typed
    {
        public string? Text { get; set; }
        public string Presence { get; set; } = "";
        public string Status { get; set; } = "";
        public string Model { get; set; } = "";
        public string Firmware { get; set; } = "";
        public bool Drifts { get; set; }
    }
}
