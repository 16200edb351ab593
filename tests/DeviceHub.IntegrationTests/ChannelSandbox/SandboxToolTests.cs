using System.Text.Json;
using DeviceHub.Tests;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.IntegrationTests.ChannelSandbox;

public sealed class SandboxToolTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("channel-sandbox-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Book_and_accounts_outlive_a_SIGKILL()
    {
        var (port, accounts, book) = (Ports.Free(), Path.Combine(folder, "accounts.json"), Path.Combine(folder, "book.jsonl"));
        string[] arguments = ["--url", $"http://127.0.0.1:{port}", "--accounts", accounts, "--book", book];
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(5) };
        using (var first = new ToolProcess("channel-sandbox.dll", arguments))
        {
            await Eventually.Holds(() => first.Output.Contains("listen on"), "it listens");
            var merchant = AccountsFile.Load(accounts).WeChat.Merchants[0];
            foreach (var number in new[] { "K1", "K2" })
            {
                Dictionary<string, string> fields = new()
                {
                    ["appid"] = merchant.AppIds[0], ["mch_id"] = merchant.MchId, ["nonce_str"] = "n", ["body"] = "x", ["out_trade_no"] = number, ["total_fee"] = "1000",
                    ["spbill_create_ip"] = "127.0.0.1", ["auth_code"] = $"1312345678901234{number[1]}0",
                };
                fields["sign"] = SandboxFixture.V2Sign(fields, merchant.ApiKey);
                using var paid = await http.PostAsync(new Uri("/pay/micropay", UriKind.Relative), new StringContent($"<xml>{string.Concat(fields.Select(f => $"<{f.Key}>{f.Value}</{f.Key}>"))}</xml>"));
                Assert.Contains("<result_code><![CDATA[SUCCESS]]>", await paid.Content.ReadAsStringAsync());
            }
        }

        // Disposing is SIGKILL. Half a line at the end is what a machine that died leaves.
        await File.AppendAllTextAsync(book, "{\"channel\":0,");
        using var second = new ToolProcess("channel-sandbox.dll", arguments);
        await Eventually.Holds(() => second.Output.Contains("listen on"), "it listens again");
        using var json = JsonDocument.Parse(await http.GetStringAsync(new Uri("/book", UriKind.Relative)));

        Assert.Equal(["K1", "K2"], json.RootElement.GetProperty("orders").EnumerateArray().Select(o => o.GetProperty("order").GetString()));
        Assert.All(json.RootElement.GetProperty("orders").EnumerateArray(), o => Assert.Equal(1000, o.GetProperty("netFen").GetInt64()));
    }
}
