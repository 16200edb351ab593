using System.Text.Json;
using DeviceHub.Gateways.Serial;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Serial;

/// <summary>A plain scanner on a line: the till asks, the scan answers, over a real pseudo-terminal and the whole hub.</summary>
public sealed class ScannerTests(ScannerTests.ScannerHub hub) : IClassFixture<ScannerTests.ScannerHub>
{
    private const string Gun = "LINE-0001";

    [Fact]
    public async Task The_next_scan_that_fits_a_wallet_answers_the_till_and_other_codes_do_not()
    {
        using var scanner = Tty.Open(hub.Cable.TerminalEnd, 9_600, ModemLine.Untouched, ModemLine.Untouched);
        Print(scanner, "134567890123456701\r\n");
        var charge = await Charge("L-1");
        Print(scanner, "6901234567892\r\n]E0690123\u001D4567892\r\n");
        foreach (var book in Enumerable.Range(0, 10))
        {
            Print(scanner, $"97871111{book:00000}\r\n");
        }

        Assert.Equal("collecting", (await Read(charge)).GetProperty("stage").GetString());
        Print(scanner, "]Q1134567890123456789\r\n134567890123456789\r\n");
        var closed = await Eventually.Becomes(() => Read(charge), c => c.GetProperty("stage").GetString() == "closed", "the charge is closed");
        Assert.Equal("paid", closed.GetProperty("ended").GetString());

        // The scanner still reads the code: that pays nothing twice.
        var next = await Charge("L-2");
        Print(scanner, "134567890123456789\r\n");
        Print(scanner, "134567890123456788\r\n");
        closed = await Eventually.Becomes(() => Read(next), c => c.GetProperty("stage").GetString() == "closed", "the next charge is closed");
        Assert.Equal("paid", closed.GetProperty("ended").GetString());
        var payment = closed.GetProperty("payment").GetProperty("id").GetProperty("requestId").GetString();
        var listed = await Eventually.Becomes(
            async () => (await hub.Till.Get($"/api/v1/payments?serialNumber={Gun}")).GetProperty("items").EnumerateArray()
                .FirstOrDefault(p => p.GetProperty("requestId").GetString() == payment),
            p => p.ValueKind == JsonValueKind.Object, "the payment is listed");
        Assert.Equal("6788", listed.GetProperty("codeLastFour").GetString());
    }

    [Fact]
    public void The_key_is_a_file_that_only_the_hub_can_read() => Assert.True(
        !OperatingSystem.IsWindows()
        && File.GetUnixFileMode(Path.Combine(hub.Folder, "serial", Gun + ".key")) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));

    private static void Print(Tty scanner, string text) => Assert.Equal(text.Length, scanner.Write(System.Text.Encoding.Latin1.GetBytes(text)));

    private async Task<string> Charge(string order)
    {
        var body = new { amountFen = 1_280, orderNumber = order, idempotencyKey = order };
        var charge = (await hub.Till.Post($"/api/v1/terminals/{Gun}/charges", body)).GetProperty("id").GetString()!;
        await Eventually.Becomes(() => Read(charge), c => c.GetProperty("stage").GetString() == "collecting", "the scanner's terminal collects");
        return charge;
    }

    private Task<JsonElement> Read(string charge) => hub.Till.Get($"/api/v1/terminals/{Gun}/charges/{charge}");

    /// <summary>A hub whose scanner is activated at its first start with the code among the port's options.</summary>
    public sealed class ScannerHub : ServerHub
    {
        private readonly string cables = Directory.CreateTempSubdirectory("hub-scanner-").FullName;
        private string? code;

        internal PtyPair Cable { get; }

        internal Caller Till { get; private set; } = null!;

        public ScannerHub() => Cable = new PtyPair(cables, "scanner");

        protected override string[] Options => code is null ? [] :
        [
            $"--Serial:Ports:gun:Path={Cable.HubEnd}", "--Serial:Ports:gun:Mode=Line", "--Serial:Ports:gun:Baud=9600",
            $"--Serial:Ports:gun:SerialNumber={Gun}", $"--Serial:Ports:gun:ActivationCode={code}", "--Serial:RetryMs=50",
        ];

        public override async ValueTask InitializeAsync()
        {
            await Cable.Plug();
            await base.InitializeAsync();
            code = await NewCode(await NewStore());
            await Stop();
            await Start();
            Till = WithKey((await CreateKey(await SignedIn(), "admin")).Key);
            await Eventually.Becomes(
                () => Till.Get($"/api/v1/terminals/{Gun}"), t => t.GetProperty("connected").GetBoolean(), "the scanner's terminal is connected");
        }

        public override async ValueTask DisposeAsync()
        {
            Cable.Dispose();
            Directory.Delete(cables, recursive: true);
            await base.DisposeAsync();
            GC.SuppressFinalize(this);
        }
    }
}
