using System.Globalization;
using DeviceHub.Tools.Bench.Line;

namespace DeviceHub.Tools.Bench.Emulation;

/// <summary>What is typed, or stands in a script, is done to an emulated terminal; what it shows is printed.</summary>
internal sealed class EmulatorHands
{
    private const string Help = """
        scan CODE [AMOUNT]   scans a code; the amount as in 12.80, not needed when the till asked
        cancel               the cancel key
        power                off and on again
        reset                factory reset: the key is gone
        wait SECONDS         for scripts
        expect TEXT          waits up to 30 s until the terminal shows it; else the exit code is 1
        quit
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly List<string> shown = [];
    private int read;
    private Action<Action<EmulatedTerminal, long>> act = _ => { };
    private Action<bool> powerCut = _ => { };

    public void Use(Action<Action<EmulatedTerminal, long>> doing, Action<bool> power) => (act, powerCut) = (doing, power);

    public void Show(string text)
    {
        lock (gate)
        {
            shown.Add(text);
            Console.WriteLine($"[{text}]");
        }
    }

    /// <param name="line">What it is on; null: something that mends itself.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> Work(string? script, SerialLine? line, CancellationToken stop)
    {
        var ended = line?.Ended ?? Task.Delay(Timeout.Infinite, stop);
        using var file = script is null ? null : OpenScript(script);
        TextReader input = file ?? Console.In;
        var number = 0;
        while (!stop.IsCancellationRequested)
        {
            // Reading what is typed cannot be cancelled, so the program may end meanwhile.
            var reading = Task.Run(input.ReadLine, CancellationToken.None);
            if (await Task.WhenAny(reading, ended, Task.Delay(Timeout.Infinite, stop)) != reading)
            {
                return stop.IsCancellationRequested ? ExitCode.Stopped : throw new PortException($"{line!.Path}: lost: {await line.Ended}");
            }

            number++;
            if (await reading is not { } typed)
            {
                // Nobody types: it is a terminal until it is stopped.
                if (file is not null)
                {
                    return ExitCode.Passed;
                }

                await Task.WhenAny(ended, Task.Delay(Timeout.Infinite, stop));
                return stop.IsCancellationRequested ? ExitCode.Stopped : throw new PortException($"{line!.Path}: lost: {await line.Ended}");
            }

            if (await Do(typed, number, file is not null, stop) is { } code)
            {
                return code;
            }
        }

        return ExitCode.Stopped;
    }

    private async Task<int?> Do(string line, int number, bool isScript, CancellationToken stop)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case [] or ["#", ..]:
                break;
            case ["scan", var code]:
                act((t, now) => t.Scan(code, 0, now));
                break;
            case ["scan", var code, var amount] when decimal.TryParse(amount, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var yuan):
                act((t, now) => t.Scan(code, (long)(yuan * 100), now));
                break;
            case ["cancel"]:
                act((t, now) => t.Cancel(now));
                break;
            case ["power"]:
                powerCut(false);
                break;
            case ["reset"]:
                powerCut(true);
                break;
            case ["wait", var seconds] when double.TryParse(seconds, CultureInfo.InvariantCulture, out var time) && time is >= 0 and <= 86_400:
                await Task.Delay(TimeSpan.FromSeconds(time), stop);
                break;
            case ["expect", ..]:
                return await Shows(line.Trim()["expect".Length..].Trim(), stop) ? null : ExitCode.Failed;
            case ["quit"]:
                return ExitCode.Passed;
            default:
                if (isScript)
                {
                    throw new BadInputException($"line {number}: '{line.Trim()}' is not known\n{Help}");
                }

                Console.WriteLine(Help);
                break;
        }

        return null;
    }

    private async Task<bool> Shows(string text, CancellationToken stop)
    {
        for (var waited = TimeSpan.Zero; waited < Patience; waited += TimeSpan.FromMilliseconds(20))
        {
            lock (gate)
            {
                while (read < shown.Count)
                {
                    if (shown[read++].Contains(text, StringComparison.OrdinalIgnoreCase))
                    {
                        return true;
                    }
                }
            }

            await Task.Delay(20, stop);
        }

        await Console.Error.WriteLineAsync($"not shown within {Patience.TotalSeconds} s: {text}");
        return false;
    }

    private static StreamReader OpenScript(string path)
    {
        try
        {
            return new StreamReader(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}");
        }
    }
}
