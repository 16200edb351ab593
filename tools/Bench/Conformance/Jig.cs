using System.Diagnostics;
using System.Globalization;
using DeviceHub.Tools.Bench.Codes;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>What is done to a unit from outside.</summary>
internal enum JigAction { Scan, Cancel, PowerCut, FactoryReset }

/// <param name="Code">To be scanned; else empty.</param>
/// <param name="AmountFen">To be typed before the scan; else 0.</param>
/// <param name="Drawn">How the code is drawn that is scanned; null: any way.</param>
/// <param name="Number">Of the code on the sheet; 0: on none.</param>
internal sealed record JigOrder(JigAction Action, string Code = "", long AmountFen = 0, Symbology? Drawn = null, int Number = 0);

/// <summary>Hands for a unit: commands that drive a fixture, or the operator.</summary>
internal interface IJig
{
    bool Can(JigAction action);

    /// <summary>Returns when it is done, or was asked of the operator.</summary>
    Task Do(JigOrder order, CancellationToken cancellation);
}

/// <summary>
/// Runs a command of the shell an action, with the order in BENCH_ACTION, BENCH_CODE, BENCH_AMOUNT_FEN, BENCH_SYMBOLOGY, BENCH_PORT: in variables, since a code in the
/// command line would be read by the shell.
/// </summary>
internal sealed class CommandJig(IReadOnlyDictionary<JigAction, string> commands, string port) : IJig
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public bool Can(JigAction action) => commands.ContainsKey(action);

    public async Task Do(JigOrder order, CancellationToken cancellation)
    {
        var (code, output) = await Run(
            commands[order.Action],
            new()
            {
                ["BENCH_ACTION"] = order.Action.ToString(),
                ["BENCH_CODE"] = order.Code,
                ["BENCH_AMOUNT_FEN"] = order.AmountFen.ToString(CultureInfo.InvariantCulture),
                ["BENCH_SYMBOLOGY"] = order.Drawn?.ToString() ?? "",
                ["BENCH_PORT"] = port,
            },
            cancellation);
        if (code != 0)
        {
            throw new CaseBlockedException($"the jig's command for {order.Action} ended with {code}: {output}");
        }
    }

    /// <summary>Its exit code and the last line that it printed.</summary>
    public static async Task<(int Code, string LastLine)> Run(string command, Dictionary<string, string> variables, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command);
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Limit);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, LastLine(output) is { Length: > 0 } line ? line : LastLine(await errors));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellation.ThrowIfCancellationRequested();
            return (-1, $"still running after {Limit.TotalSeconds} s");
        }
    }

    private static string LastLine(string text) => text.TrimEnd().Split('\n')[^1].Trim();
}

/// <summary>Asks a person in front of the unit.</summary>
/// <param name="tell">Shows a text, and the code that is to be scanned from the screen where it says how that is drawn.</param>
internal sealed class OperatorJig(Action<string, DrawnCode?> tell, Texts texts) : IJig
{
    public bool Can(JigAction action) => true;

    public Task Do(JigOrder order, CancellationToken cancellation)
    {
        var amount = (order.AmountFen / 100m).ToString("0.00", CultureInfo.InvariantCulture);
        if (order.Drawn is { } symbology)
        {
            tell(texts.Format("DoScanDrawn", order.Code, amount, texts["Symbology" + symbology], order.Number), DrawnCode.Of(symbology, order.Code));
        }
        else
        {
            tell(texts.Format(order is { Action: JigAction.Scan, AmountFen: 0 } ? "DoScanOnly" : "Do" + order.Action, order.Code, amount), null);
        }

        return Task.CompletedTask;
    }
}

/// <summary>The first of two that can.</summary>
internal sealed class EitherJig(IJig first, IJig second) : IJig
{
    public bool Can(JigAction action) => first.Can(action) || second.Can(action);

    public Task Do(JigOrder order, CancellationToken cancellation) => (first.Can(order.Action) ? first : second).Do(order, cancellation);
}

/// <summary>Nobody is there.</summary>
internal sealed class NoJig : IJig
{
    public bool Can(JigAction action) => false;

    public Task Do(JigOrder order, CancellationToken cancellation) => throw new CaseBlockedException($"nobody is there to {order.Action}");
}
