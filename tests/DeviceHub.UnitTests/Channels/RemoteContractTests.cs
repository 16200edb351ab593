using System.Text.Json;
using DeviceHub.Channels;
using DeviceHub.Channels.Remote;
using DeviceHub.UnitTests.Tidy;

namespace DeviceHub.UnitTests.Channels;

/// <summary>The contract that other companies implement says what the channel reads.</summary>
public sealed class RemoteContractTests
{
    private static readonly JsonElement Contract =
        JsonElement.Parse(File.ReadAllText(Path.Combine(Sources.Root, "src/DeviceHub.Server/Contracts/routing-core.openapi.json")));

    [Fact]
    public void Every_state_of_the_contract_is_in_the_table_of_its_call()
    {
        Check("/v1/payments", "post", RemoteStates.Pay, "conflict");
        Check("/v1/payments/{orderNumber}", "get", RemoteStates.Query);
        Check("/v1/payments/{orderNumber}/reversal", "post", RemoteStates.Reverse);
        Check("/v1/payments/{orderNumber}/refunds", "post", RemoteStates.Refund);
        Check("/v1/payments/{orderNumber}/refunds/{refundNumber}", "get", RemoteStates.Refund);
    }

    [Fact]
    public void Payment_prints_no_code() =>
        Assert.DoesNotContain("1345", new RemotePayment("d1", 1, "CNY", "weChat", "134567890123456789", "s", "t", default).ToString(), StringComparison.Ordinal);

    /// <param name="proveNothing">States that are deliberately in no table.</param>
    private static void Check(string path, string method, VerdictTable table, params string[] proveNothing)
    {
        var states = Contract.GetProperty("paths").GetProperty(path).GetProperty(method).GetProperty("responses").GetProperty("200").GetProperty("content")
            .GetProperty("application/json").GetProperty("schema").GetProperty("allOf")[1].GetProperty("properties").GetProperty("state").GetProperty("enum").EnumerateArray().Select(s => s.GetString()!);
        foreach (var state in states)
        {
            Assert.Equal((path, state, !proveNothing.Contains(state)), (path, state, table.Find(state) is not null));
        }
    }
}
