using Spectre.Console;
using Spectre.Console.Rendering;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>Words in letters of 4 by 5 blocks, to be read from across the room.</summary>
internal static class BigText
{
    private static readonly Dictionary<char, string[]> Letters = new()
    {
        ['P'] = ["###.", "#..#", "###.", "#...", "#..."],
        ['A'] = [".##.", "#..#", "####", "#..#", "#..#"],
        ['S'] = [".###", "#...", ".##.", "...#", "###."],
        ['F'] = ["####", "#...", "###.", "#...", "#..."],
        ['I'] = ["###.", ".#..", ".#..", ".#..", "###."],
        ['L'] = ["#...", "#...", "#...", "#...", "####"],
        ['T'] = ["###.", ".#..", ".#..", ".#..", ".#.."],
        ['O'] = [".##.", "#..#", "#..#", "#..#", ".##."],
    };

    /// <param name="style">Of the whole area.</param>
    /// <param name="across">Columns of a block.</param>
    /// <param name="down">Rows of a block.</param>
    public static IReadOnlyList<IRenderable> Of(string word, string style, int across, int down) =>
    [
        .. from row in Enumerable.Range(0, 5)
           from again in Enumerable.Range(0, down)
           let line = string.Concat(word.Select(letter => string.Concat(Letters[letter][row].Select(dot => new string(dot == '#' ? '█' : ' ', across)))
               + (across > 1 ? "  " : "")))
           select new Markup($"[{style}]{line}[/]"),
    ];
}
