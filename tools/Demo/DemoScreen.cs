using System.Globalization;
using DeviceHub.Tools.Demo.Books;
using DeviceHub.Tools.VirtualTerminals;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DeviceHub.Tools.Demo;

/// <summary>The demo in a terminal window of 100 by 30: where everything listens, a row a terminal, and what the three books say.</summary>
internal sealed class DemoScreen(DemoRun run, DemoOptions options)
{
    private const string Quiet = "grey62";

    /// <summary>Lines that are not rows of terminals.</summary>
    private const int OtherLines = 15;

    /// <summary>In a narrower window rows and words are broken into two lines; what does not fit would push the addresses and the password out at the top.</summary>
    private const int FullWidth = 100;
    private const int BrokenLines = 4;

    /// <summary>Fixed widths, so that nothing moves while figures grow; with a gap after each they fill 99 characters.</summary>
    private static readonly (string Name, int Width, bool Right)[] Columns =
    [
        ("Terminal", 8, false), ("Model", 13, false), ("Network", 7, false), ("Payments", 5, true), ("Approved", 5, true), ("Declined", 8, true),
        ("Undone", 6, true), ("Open", 4, true), ("P50", 6, true), ("P99", 6, true), ("Last", 19, false),
    ];

    private readonly Texts texts = new(options.Language);

    public IRenderable Draw(bool ended, int width, int height)
    {
        var entries = run.Fleet.Book.Entries;
        var rows = width < FullWidth ? (height - OtherLines - BrokenLines) / 2 : height - OtherLines;
        return new Rows(Head(ended), Text.Empty, Addresses(), Table(entries, Math.Max(3, rows)), Comparison(), Text.Empty, Next());
    }

    /// <summary>The last word, under the last picture.</summary>
    public IEnumerable<string> Verdict()
    {
        var result = run.Result;
        if (result.IsGood)
        {
            yield return $"[green]{Markup.Escape(texts.Format("GoodEnd", result.Payments))}[/]";
            yield break;
        }

        var onlyOpen = result is { Lost: 0, DoubleCharged: 0, Mismatched: 0 };
        yield return $"[red]{Markup.Escape(result.Payments == 0 ? texts["NoPayments"] : onlyOpen ? texts.Format("OpenEnd", result.Unsettled) : texts["BadEnd"])}[/]";
        foreach (var difference in run.Differences.Take(20))
        {
            yield return Markup.Escape($"  {difference.Fault} {difference.Subject}: {difference.What}");
        }
    }

    private Grid Head(bool ended)
    {
        var phase = ended ? texts["Ended"] : run.Settling is null ? texts["Scanning"] : texts["Settling"];
        var left = options.Duration is { } duration && run.Settling is null ? $" / {new Duration(duration)}" : "";
        var keys = ended ? "" : " · " + texts[run.Settling is null ? "CtrlC" : "CtrlCAgain"];
        var grid = new Grid().Expand().AddColumn(new GridColumn().NoWrap().PadLeft(1)).AddColumn(new GridColumn().NoWrap().RightAligned().PadRight(1));
        return grid.AddRow(
            $"[bold]DeviceHub[/] [{Quiet}]demo[/]",
            $"[bold]{Escape(phase)}[/] [{Quiet}]{run.Elapsed:h\\:mm\\:ss}{Escape(left)}{Escape(keys)}[/]");
    }

    private Grid Addresses()
    {
        var hub = run.Hub;
        var password = run.Password is { } own ? $"[bold]{Escape(own)}[/]" : Escape(texts["PasswordKnown"]);
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadLeft(1).PadRight(2)).AddColumn(new GridColumn().NoWrap());
        Row("Pages", $"[bold]{hub.Pages[0]}[/]");
        Row("SignIn", $"[bold]{hub.UserName}[/]  [{Quiet}]{Escape(texts["Password"])}[/] {password}");
        Row("Terminals", $"mqtts://{hub.Tls}  mqtt://{hub.Plain}");
        Row("DataFolder", Escape(hub.DataFolder));
        return grid;

        void Row(string left, string value) => grid.AddRow($"[{Quiet}]{Escape(texts[left])}[/]", value);
    }

    private Table Table(IReadOnlyCollection<BookEntry> entries, int rows)
    {
        var table = new Table().Border(TableBorder.SimpleHeavy).BorderColor(Color.Grey35);
        foreach (var (name, width, right) in Columns)
        {
            var column = new TableColumn($"[{Quiet}]{Escape(texts[name])}[/]").NoWrap().Padding(0, 0, 0, 0).Width(width);
            table.AddColumn(right ? column.RightAligned() : column);
        }

        var byTerminal = entries.ToLookup(e => e.SerialNumber);
        foreach (var terminal in run.Fleet.Terminals.Take(rows))
        {
            var own = byTerminal[terminal.SerialNumber].ToList();
            table.AddRow([Escape(terminal.SerialNumber), Escape(terminal.Setup.Model.Name), Network(terminal), .. Figures(own), Last(terminal, own)]);
        }

        var hidden = run.Fleet.Terminals.Count - rows;
        table.Columns[0].Footer(new Markup($"[bold]{Escape(texts.Format("All", run.Fleet.Terminals.Count))}[/]"));
        table.Columns[1].Footer(new Markup(hidden > 0 ? $"[{Quiet}]+{hidden}[/]" : ""));
        foreach (var (i, figure) in Figures(entries).Index())
        {
            table.Columns[3 + i].Footer(new Markup($"[bold]{figure}[/]"));
        }

        return table;
    }

    private static string[] Figures(IReadOnlyCollection<BookEntry> entries)
    {
        var tally = BookTally.Of(entries);
        return
        [
            Number(tally.Payments), $"[green]{Number(tally.Approved)}[/]", Number(tally.Declined), Number(tally.NotCharged + tally.Refunded),
            tally.Open > 0 ? $"[yellow]{tally.Open}[/]" : Number(0), Ms(tally.P50Ms), Ms(tally.P99Ms),
        ];
    }

    private string Network(VirtualTerminal terminal) => terminal.Setup.Network == NetworkFaults.None ? $"[{Quiet}]{Escape(texts["Good"])}[/]"
        : terminal.Connections > 1 ? $"[darkorange]{Escape(texts.Format("Reconnects", terminal.Connections - 1))}[/]"
        : $"[darkorange]{Escape(texts["Bad"])}[/]";

    private string Last(VirtualTerminal terminal, List<BookEntry> own)
    {
        if (!terminal.IsSynced)
        {
            return $"[{Quiet}]{Escape(texts["NotReady"])}[/]";
        }

        if (own.MaxBy(e => e.ScannedAt) is not { } entry)
        {
            return "";
        }

        var color = entry.Told switch
        {
            Told.Approved => "green",
            Told.InDoubt => "yellow",
            Told.Nothing or Told.Accepted => Quiet,
            _ => "default",
        };
        return string.Create(CultureInfo.InvariantCulture, $" {entry.AmountFen / 100m,6:0.00} [{color}]{Escape(texts["Told" + entry.Told])}[/]");
    }

    private Markup Comparison()
    {
        var result = run.Result;
        return new Markup($" {Escape(texts["Books"])}   {Count("Lost", result.Lost)}   {Count("DoubleCharged", result.DoubleCharged)}   {Count("Mismatched", result.Mismatched)}   [{Quiet}]{Escape(texts["Unsettled"])}[/] {result.Unsettled}");

        string Count(string name, int count) => $"[{Quiet}]{Escape(texts[name])}[/] [bold {(count == 0 ? "green" : "red")}]{count}[/]";
    }

    private Markup Next() => new($" [{Quiet}]{Escape(texts.Format("Next", run.Hub.Pages[0]))}\n {Escape(texts["NextTerminal"])}[/]");

    private static string Number(int number) => number == 0 ? $"[{Quiet}]0[/]" : number.ToString(CultureInfo.InvariantCulture);

    private static string Ms(double ms) => ms == 0 ? $"[{Quiet}]-[/]" : ms.ToString(ms < 10 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Escape(string text) => Markup.Escape(text);
}
