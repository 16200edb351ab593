namespace DeviceHub.Tools.Bench.Plans;

/// <summary>The person at the keyboard: Enter or y is yes, n is no. Lanes ask one after the other.</summary>
internal sealed class KeyboardOperator(LaneView view, Texts texts, SemaphoreSlim turn) : IOperator
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    public bool IsThere => !Console.IsInputRedirected;

    public async Task<bool> Ask(string question, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            view.Instruction = $"{question} {texts["YesNo"]}";
            while (true)
            {
                while (Console.KeyAvailable)
                {
                    switch (char.ToLowerInvariant(Console.ReadKey(intercept: true).KeyChar))
                    {
                        case '\r' or '\n' or 'y':
                            return true;
                        case 'n':
                            return false;
                    }
                }

                await Task.Delay(Look, cancellation);
            }
        }
        finally
        {
            view.Instruction = "";
            turn.Release();
        }
    }
}

/// <summary>Nobody is there to be asked.</summary>
internal sealed class Nobody : IOperator
{
    public bool IsThere => false;

    public Task<bool> Ask(string question, CancellationToken cancellation) => throw new InvalidOperationException("nobody is there");
}
