using System.Text;
using System.Text.Json;
using DeviceHub.Gateways.Serial;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.SerialBridge;

/// <summary>A plain scanner at a store: the bridge is its terminal, and the till is at the hub.</summary>
[Collection(BridgeHub.Collection)]
public sealed class ScannerBridgeTests(BridgeHub hub)
{
    [Fact]
    public async Task A_scan_answers_the_till_through_the_bridge_whose_own_key_it_is()
    {
        var serialNumber = ServerHub.NewSerial();
        var code = await hub.NewCode(await hub.NewStore());
        string[] scanner = ["Serial:Ports:c1:Mode=Line", "Serial:Ports:c1:Baud=9600", $"Serial:Ports:c1:SerialNumber={serialNumber}"];
        await using var store = await Store.Open(hub, 1, false, [.. scanner, $"Serial:Ports:c1:ActivationCode={code}"]);
        await store.Prints($"c1: {serialNumber} is connected with the hub");
        using var gun = Tty.Open(store.Cables[0].TerminalEnd, 9_600, ModemLine.Untouched, ModemLine.Untouched);
        await Pays(gun, serialNumber, "first");

        var key = Assert.Single(Directory.GetFiles(store.KeyFolder));
        Assert.Equal(serialNumber + ".key", Path.GetFileName(key));
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(key) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        var shown = await store.Ports();
        Assert.Contains($"Line  key: the bridge's own, activated as {serialNumber}", shown, StringComparison.Ordinal);
        Assert.DoesNotContain((await File.ReadAllTextAsync(key)).Trim(), store.Printed + shown, StringComparison.Ordinal);

        // The network breaks and the bridge dies; the key is still there, and no code is needed.
        store.Network.Break();
        await store.Prints($"c1: no hub for {serialNumber}, it takes no payments");
        store.KillBridge();
        store.Network.Mend();
        store.More = scanner;
        store.StartBridge();
        await Pays(gun, serialNumber, "second");
        Assert.Equal((2_560, 2), await hub.Charged(serialNumber));
    }

    [Fact]
    public async Task A_scanner_without_a_key_and_without_a_code_is_said_in_words()
    {
        await using var store = await Store.Open(hub, 1, false, "Serial:Ports:c1:Mode=Line", "Serial:Ports:c1:SerialNumber=GUN-0009");
        await store.Prints("c1: key: none for GUN-0009: set ActivationCode among the port's options once");
        Assert.Contains("key: none for GUN-0009", await store.Ports(), StringComparison.Ordinal);
    }

    /// <summary>Goods that are scanned are no answer; the payer's code is.</summary>
    private async Task Pays(Tty gun, string serialNumber, string order)
    {
        var path = $"/api/v1/terminals/{serialNumber}/charges";
        await Eventually.Becomes(() => hub.Admin.Get("/api/v1/terminals/" + serialNumber), t => t.GetProperty("connected").GetBoolean(), "the scanner's terminal is connected");
        var charge = (await hub.Admin.Post(path, new { amountFen = 1_280, orderNumber = order, idempotencyKey = order })).GetProperty("id").GetString();
        Task<JsonElement> Read() => hub.Admin.Get($"{path}/{charge}");
        await Eventually.Becomes(Read, c => c.GetProperty("stage").GetString() == "collecting", "the scanner's terminal collects");
        Print(gun, "6901234567892\r\n");
        var digits = order.Length;
        var closed = await Eventually.Becomes(
            () =>
            {
                // Held under the scanner until it is taken, as a payer does; the answer that is read again pays nothing twice.
                Print(gun, $"13456789012345678{digits % 10}\r\n");
                return Read();
            },
            c => c.GetProperty("stage").GetString() == "closed", "the charge is closed");
        Assert.Equal("paid", closed.GetProperty("ended").GetString());
    }

    private static void Print(Tty scanner, string text) => scanner.Write(Encoding.Latin1.GetBytes(text));
}
