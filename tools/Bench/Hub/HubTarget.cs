using DeviceHub.Protocol;
using DeviceHub.Tools.Bench.Conformance;

namespace DeviceHub.Tools.Bench.Hub;

/// <summary>A terminal, and the hub that it is reached through.</summary>
/// <param name="Key">Of the hub's API.</param>
internal sealed record HubTarget(Uri Address, string Key, string SerialNumber)
{
    public const string KeyVariable = "DEVICEHUB_API_KEY";

    /// <summary>Null: no hub was named. Throws in words for what does not go together.</summary>
    /// <param name="key">The key, or a file that holds it; null: the environment has it.</param>
    public static HubTarget? Of(string? address, string? terminal, string? key, bool hasPort)
    {
        if (address is null)
        {
            return terminal is null && key is null ? null : throw new BadInputException("--terminal and --api-key go with --hub");
        }

        if (hasPort)
        {
            throw new BadInputException("either a PORT or --hub, not both");
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.PathAndQuery != "/")
        {
            throw new BadInputException($"--hub {address}: an address as in https://hub.example:5080 is wanted");
        }

        if (uri.Scheme == "http" && !uri.IsLoopback)
        {
            throw new BadInputException($"--hub {address}: https, since anybody on the way could read the API key (http only to this machine)");
        }

        if (terminal is null || !Names.IsSerialNumber(terminal))
        {
            throw new BadInputException("--hub: which terminal? --terminal SERIAL, 4 to 32 of A-Z a-z 0-9 _ -");
        }

        return new HubTarget(uri, KeyOf(key ?? Environment.GetEnvironmentVariable(KeyVariable)), terminal);
    }

    /// <summary>Uses the terminal. Its configuration of before is put back; a hub that is lost meanwhile ends it.</summary>
    public async Task<T> Reach<T>(Func<Func<IJig, CancellationToken, Rig>, CancellationToken, Task<T>> use, Texts texts, CancellationToken stop)
    {
        using var api = new HubApi(Address, Key);
        var terminal = await HubTerminal.Find(api, SerialNumber, stop);
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _ = api.Ended.ContinueWith(_ => lost.Cancel(), lost.Token, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            var result = await use((hands, stopped) => new HubRig(api, terminal, hands, texts, stopped), lost.Token);
            return api.Ended.IsCompleted ? throw new PortException((await api.Ended)!) : result;
        }
        finally
        {
            await lost.CancelAsync();
            if (await terminal.PutBack() is { } fault)
            {
                await Console.Error.WriteLineAsync(((Phrase)$"{SerialNumber}: its configuration of before could not be put back: {fault}").In(texts));
            }
        }
    }

    public override string ToString() => $"{SerialNumber} at {Address}";

    private static string KeyOf(string? given)
    {
        try
        {
            var key = (File.Exists(given) ? File.ReadAllText(given) : given)?.Trim();
            return key is { Length: > 0 } && key.All(c => c is > ' ' and < (char)127)
                ? key
                : throw new BadInputException($"--hub: an API key of the hub is needed: --api-key KEY or FILE, or {KeyVariable}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"--api-key: {e.Message}");
        }
    }
}
