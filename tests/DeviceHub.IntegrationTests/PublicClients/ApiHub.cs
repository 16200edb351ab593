using DeviceHub.Tests;
using DeviceHub.Tools.Demo;

namespace DeviceHub.IntegrationTests.PublicClients;

/// <summary>A hub as a process, with a merchant, a store and a model that does not seal, and its HTTP API with a key.</summary>
public sealed class ApiHub : IAsyncLifetime
{
    /// <summary>The model that does not seal.</summary>
    public const string Model = "plain-scanner";

    public const string Collection = "a hub with its API";

    private readonly HubProcess process = new(null, $"--Terminals:Models:{Model}:Seals=false", $"--Terminals:Models:{Model}:AllowUnsealedInProduction=true",

        // A person's hands on a busy machine.
        "--Charges:CollectingWait=00:00:20");
    private HubClient? api;
    private string? store;

    public int MqttPort => process.MqttPort;

    public Uri Url => process.Url;

    public string Password { get; private set; } = "";

    internal HubClient Api => api!;

    public async ValueTask InitializeAsync()
    {
        await process.Start();
        await Eventually.Holds(() => process.FirstPassword is not null, "the first start shows its password");
        (var key, Password) = await HubClient.FirstSignIn(process.Url, "admin", process.FirstPassword!);
        api = new HubClient(process.Url, key);
        store = await api.MakeStore(await api.MakeMerchant("Noodle shop"), "Main street");
    }

    public async ValueTask DisposeAsync()
    {
        api?.Dispose();
        await process.DisposeAsync();
        Assert.DoesNotContain(" fail: ", process.Output, StringComparison.Ordinal);
    }

    internal Task<string> NewActivationCode() => Api.MakeActivationCode(store!, Model, 1);
}

[CollectionDefinition(ApiHub.Collection)]
public sealed class ApiHubGroup : ICollectionFixture<ApiHub>;
