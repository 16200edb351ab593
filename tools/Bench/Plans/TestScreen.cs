using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Reports;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>The lanes on a screen: what is tested, what the operator is to do, and a verdict that can be read from two metres.</summary>
internal sealed class TestScreen(IReadOnlyList<LaneView> lanes, Plan plan, Texts texts)
{
    private const int LaneWidth = 20;
    private const int HistogramRows = 6;

    /// <param name="height">Rows that there are.</param>
    public IRenderable Draw(int width, int height) => lanes.Count == 1 ? Single(lanes[0], width, height) : All(width);

    private Rows Single(LaneView lane, int width, int height)
    {
        var rows = new List<IRenderable> { new Markup($"[bold]{Text(plan.Name)}[/]  {Text(lane.Port)}  [bold]{Text(lane.Serial)}[/]  {Clock(lane)}  {Counts(lane)}") };
        var big = lane.State == LaneState.Done ? BigText.Of(Word(lane.Verdict), Color(lane.Verdict), Math.Max(1, Math.Min(4, width / 20)), 2) : [];
        var code = lane.Code is { } drawn && drawn.ToLines() is { } lines && lines[0].Length <= width && lines.Count + 8 <= height ? lines : [];
        var histogram = lane.State == LaneState.Testing && code.Count == 0 ? Histogram(lane) : [];
        var room = Math.Max(3, height - big.Count - histogram.Count - code.Count - 6);
        foreach (var result in lane.Results.TakeLast(room))
        {
            rows.Add(Line(result, width));
        }

        if (lane.State == LaneState.Testing)
        {
            rows.Add(new Markup($"[blue]....[/]  {lane.StepNumber}/{plan.Steps.Count}  {Text(lane.Step)}"));
        }

        if (lane.Instruction.Length > 0)
        {
            rows.Add(new Markup($"[black on yellow] {Text(lane.Instruction)} [/]"));
        }

        rows.AddRange(code.Select(line => new Markup($"[black on white]{line}[/]")));
        rows.AddRange(histogram);
        rows.AddRange(big);
        rows.Add(lane.State switch
        {
            LaneState.Done => new Markup($"[{Color(lane.Verdict)}] {Text(texts["Verdict" + lane.Verdict])} [/] {Text(lane.Note)}"),
            LaneState.Waiting => new Markup($"[yellow]{Text(lane.Note)}[/]"),
            _ => new Markup(""),
        });
        return new Rows(rows);
    }

    private Grid All(int width)
    {
        var columns = Math.Clamp(width / LaneWidth, 1, Math.Min(4, lanes.Count));
        var grid = new Grid();
        for (var i = 0; i < columns; i++)
        {
            grid.AddColumn(new GridColumn().Padding(0, 0).NoWrap());
        }

        foreach (var row in lanes.Chunk(columns))
        {
            grid.AddRow([.. row.Select(lane => Box(lane, width / columns)), .. Enumerable.Repeat(Spectre.Console.Text.Empty, columns - row.Length)]);
        }

        return grid;
    }

    private Panel Box(LaneView lane, int width)
    {
        var inner = width - 4;
        IEnumerable<IRenderable> rows = lane.State switch
        {
            LaneState.Done => BigText.Of(Word(lane.Verdict), Color(lane.Verdict), 1, 1),
            LaneState.Testing => [new Markup(Cut($"{lane.StepNumber}/{plan.Steps.Count} {lane.Step}", inner)), new Markup($"[yellow]{Cut(lane.Instruction, inner)}[/]"), Bar(lane, inner), new Markup(" "), new Markup(" ")],
            _ => [new Markup($"[yellow]{Cut(lane.Note, inner)}[/]"), new Markup($"[yellow]{Cut(lane.Note[Math.Min(lane.Note.Length, inner)..], inner)}[/]"), new Markup(" "), new Markup(" "), new Markup(" ")],
        };
        var failed = lane.Results.FirstOrDefault(r => r.Status == StepStatus.Failed);
        return new Panel(new Rows([
            new Markup(Cut(lane.Serial.Length > 0 ? lane.Serial : "-", inner)),
            .. rows,
            new Markup(lane.State == LaneState.Done && failed is not null ? $"[red]{Cut($"{failed.Id} {failed.Title}", inner)}[/]" : $"{Clock(lane)} {Counts(lane)}"),
        ])) { Header = new PanelHeader(Cut(Path.GetFileName(lane.Port), inner)), Width = width, Padding = new Padding(1, 0) };
    }

    private Markup Line(StepResult result, int width)
    {
        var color = result.Status switch { StepStatus.Passed => "green", StepStatus.Failed => "red", _ => "yellow" };
        var said = result.Detail.Length > 0 ? result.Detail : string.Join(", ", result.Measured.Select(m => Wording.Of(m, texts)));
        return new Markup($"[{color}]{Text(texts["Status" + result.Status])}[/]  {Cut($"{result.Id}  {result.Title}{(said.Length > 0 ? ": " + said : "")}", width - 10)}");
    }

    private List<IRenderable> Histogram(LaneView lane)
    {
        if (lane.RoundTrips is not { Count: > 0 } book)
        {
            return [];
        }

        var histogram = book.ToHistogram();
        var most = Math.Max(1, histogram.Counts.Max());
        return
        [
            new Markup($"[grey]{Text(texts.Finding(histogram.Name))}: n {book.Count}, p50 {Wording.Number(histogram.P50Ms)} ms, p99 {Wording.Number(histogram.P99Ms)} ms[/]"),
            .. histogram.Counts.Select((count, i) => (count, i)).Where(c => c.count > 0).Take(HistogramRows).Select(c => new Markup(
                $"[grey]{(c.i < histogram.UpToMs.Count ? $"<={Wording.Number(histogram.UpToMs[c.i])}" : ">5000"),7} ms[/] [blue]{new string('█', Math.Max(1, c.count * 40 / most))}[/] {c.count}")),
        ];
    }

    private Markup Bar(LaneView lane, int width)
    {
        var done = Math.Clamp(lane.Results.Count * width / Math.Max(1, plan.Steps.Count), 0, width);
        return new Markup($"[blue]{new string('█', done)}[/][grey]{new string('░', width - done)}[/]");
    }

    private static string Clock(LaneView lane) => lane.State == LaneState.Testing ? $"{(SerialLine.Now - lane.Began).TotalSeconds:0} s" : "";

    private static string Counts(LaneView lane) => lane.Passed + lane.Failed > 0 ? $"[green]{lane.Passed}[/]/[red]{lane.Failed}[/]" : "";

    private static string Word(Verdict verdict) => verdict switch { Verdict.Pass => "PASS", Verdict.Fail => "FAIL", _ => "STOP" };

    private static string Color(Verdict verdict) => verdict switch { Verdict.Pass => "white on green", Verdict.Fail => "white on red", _ => "black on yellow" };

    private static string Text(string text) => Markup.Escape(text);

    /// <summary>To so many columns; a Chinese character takes two.</summary>
    private static string Cut(string text, int columns)
    {
        var used = 0;
        var cut = string.Concat(text.EnumerateRunes().TakeWhile(rune => (used += rune.Value >= 0x1100 ? 2 : 1) <= columns).Select(rune => rune.ToString()));
        return Markup.Escape(cut);
    }
}
