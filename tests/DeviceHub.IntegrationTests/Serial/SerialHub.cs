using DeviceHub.IntegrationTests.Server;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Serial;

/// <summary>The whole hub with serial ports that are ends of pseudo-terminal pairs.</summary>
public sealed class SerialHub : ServerHub
{
    public const string Collection = "serial";

    private static readonly string[] Names = ["one", "two", "three"];

    private readonly string cables = Directory.CreateTempSubdirectory("hub-serial-").FullName;

    internal IReadOnlyList<PtyPair> Cables { get; }

    public SerialHub() => Cables = [.. Names.Select(name => new PtyPair(cables, name))];

    protected override string[] Options =>
    [
        .. Names.Select((name, i) => $"--Serial:Ports:{name}:Path={Cables[i].HubEnd}"),
        "--Serial:RetryMs=50", "--Serial:RetryMaxMs=200", "--Serial:MessagesPerSecond=1000",
        $"--Serial:Ports:file:Path={Path.Combine(cables, "regular-file")}",
    ];

    public override async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(cables, "regular-file"), "no port");
        foreach (var cable in Cables)
        {
            await cable.Plug();
        }

        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var cable in Cables)
        {
            cable.Dispose();
        }

        Directory.Delete(cables, recursive: true);
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A terminal on a cable that has just been activated and has logged in.</summary>
    internal async Task<CableTerminal> LoggedIn(PtyPair cable, int[]? rates = null)
    {
        var terminal = new CableTerminal(cable.TerminalEnd, NewSerial(), rates: rates);
        await terminal.Activate(await NewCode(await NewStore()));
        var ups = terminal.Ups;
        terminal.BeginAnew();
        await Eventually.Holds(() => terminal.Ups > ups, "the link is up again");
        await terminal.LogIn();
        return terminal;
    }
}

[CollectionDefinition(SerialHub.Collection)]
public sealed class SerialGroup : ICollectionFixture<SerialHub>;
