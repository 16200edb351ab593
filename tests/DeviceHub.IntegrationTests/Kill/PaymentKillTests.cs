using System.Collections.Concurrent;
using System.Diagnostics;
using DeviceHub.Core.Payments;
using DeviceHub.Tests;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.IntegrationTests.Kill;

/// <summary>
/// Payments of every kind while their process is killed at seeded moments, without a network. <c>DEVICEHUB_KILLS</c> and <c>DEVICEHUB_SEED</c>
/// choose how often and when.
/// </summary>
public sealed class PaymentKillTests(ITestOutputHelper output)
{
    private static readonly int[] Kinds = [0, 1, 2, 10, 11, 20, 21, 22, 23, 24, 30, 40, 41, 42, 43, 50, 99];

    private readonly ConcurrentDictionary<string, long> sent = new();
    private readonly ConcurrentDictionary<string, bool> acknowledged = new();

    [Fact]
    public async Task Every_acknowledged_payment_is_settled_and_the_bank_agrees_to_the_fen_after_kills()
    {
        var seed = EnvironmentNumber.Of("DEVICEHUB_SEED", 1);
        var random = new Random(seed);
        var data = Directory.CreateTempSubdirectory("kill-").FullName;
        var url = new Uri($"http://127.0.0.1:{Ports.Free()}");
        await using var sandbox = new SandboxProcess(ShortWaits.Sandbox);
        await sandbox.Start();
        using var http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(10) };
        var rounds = EnvironmentNumber.Of("DEVICEHUB_KILLS", 4);
        for (var round = 0; round < rounds; round++)
        {
            using var hub = await Start(data, url, sandbox.Url, http);
            var payments = Enumerable.Range(0, 60).Select(i => Pay(http, $"T{round}-{i}", (100 * (i + 1)) + Kinds[i % Kinds.Length])).ToList();
            var moment = TimeSpan.FromMilliseconds(random.Next(20, 3000));
            await Eventually.Passes(moment);
            hub.Kill();
            await hub.WaitForExitAsync();
            await Task.WhenAll(payments);
            output.WriteLine($"seed {seed} round {round}: killed after {moment.TotalMilliseconds} ms, {acknowledged.Count} of {sent.Count} acknowledged");
        }

        using var last = await Start(data, url, sandbox.Url, http);
        try
        {
            await Eventually.Becomes(() => Differences(http, sandbox), found => found.Length == 0, $"ledger and bank agree (seed {seed})", TimeSpan.FromSeconds(60));
            Assert.True(acknowledged.Count > rounds, $"only {acknowledged.Count} payments were acknowledged");
        }
        finally
        {
            last.Kill();
            await last.WaitForExitAsync();
            Directory.Delete(data, recursive: true);
        }
    }

    private async Task Pay(HttpClient http, string terminal, long amountFen)
    {
        var id = $"{terminal}/request-1";
        sent[id] = amountFen;
        try
        {
            using var answer = await http.PostAsync(new Uri($"/pay/{id}/{amountFen}", UriKind.Relative), null);
            if (answer.IsSuccessStatusCode)
            {
                acknowledged[id] = true;
            }
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            // Killed before the answer: the payment may exist or not, and either is right.
        }
    }

    /// <summary>What is not settled, charged twice, or held by the bank without the ledger's word; empty: none.</summary>
    private async Task<string> Differences(HttpClient http, SandboxProcess sandbox)
    {
        var book = (await sandbox.Book()).ToDictionary(c => c.Order);
        var found = new List<string>();
        foreach (var (id, amount) in sent)
        {
            var standing = await http.GetStringAsync(new Uri($"/payments/{id}", UriKind.Relative));
            var charge = book.GetValueOrDefault(await http.GetStringAsync(new Uri($"/payments/{id}/order", UriKind.Relative)));
            var owed = standing == "Final Approved" ? amount : 0;
            var settled = standing.StartsWith("Final", StringComparison.Ordinal) || (standing == "None None" && !acknowledged.ContainsKey(id));
            if (!settled || (charge?.NetFen ?? 0) != owed || charge is { Charges: > 1 } or { Open: true })
            {
                found.Add($"{id} {amount}: {standing}, bank {charge}");
            }
        }

        return string.Join('\n', found);
    }

    private static async Task<Process> Start(string data, Uri url, Uri sandbox, HttpClient http)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = data };
        foreach (var argument in (string[])[
            Path.Combine(AppContext.BaseDirectory, "KillHost.dll"), "--urls", url.ToString(), "--data", data,
            "--silo", Ports.Free().ToString(System.Globalization.CultureInfo.InvariantCulture), "--Sandbox:Url", sandbox.ToString(), .. ShortWaits.Payments])
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        await Eventually.Holds(async () => await http.GetStringAsync(new Uri("/ready", UriKind.Relative)) == "ready", "the payments' process is ready");
        return process;
    }
}
