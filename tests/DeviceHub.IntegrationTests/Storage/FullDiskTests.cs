using System.Diagnostics;
using System.Net;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>The whole hub on a disk that is really full.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task Disk_below_the_reserve_refuses_new_payments_settles_running_ones_and_recovers_by_itself()
    {
        using var disk = new SmallDisk();
        await using var hub = await OperatedHub.Start(
            disk.Path, "--Storage:ReserveBytes=8000000", "--Storage:DiskCheckInterval=00:00:00.010", "--Sandbox:PasswordAfter=00:00:04", $"--Sandbox:Book={disk.Elsewhere}");
        await using var terminal = await hub.LoggedIn();
        var running = terminal.Request(OperatedHub.AsksForPassword, "RUNNING");
        await terminal.Pay(running);
        await terminal.Expect(Downlink.BodyOneofCase.Accepted);

        disk.Fill(leave: 4_000_000);
        Assert.Equal("Unhealthy: free disk space is below Storage:ReserveBytes", await hub.Ready(HttpStatusCode.ServiceUnavailable));
        await using var other = await hub.LoggedIn();
        await other.Pay(other.Request(1200));
        Assert.Equal(Refusal.Types.Code.Storage, (await other.ExpectRefusal()).Code);
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.ExpectOutcome(running.RequestId)).Result);

        disk.Empty();
        await Eventually.Holds(async () => await hub.Ready(HttpStatusCode.OK) == "Healthy", "the hub is ready, and lists are whole");
        await Takes(other, "AFTER");
    }

    [Fact]
    public async Task Disk_that_is_full_to_the_last_byte_loses_nothing_and_recovers_by_itself()
    {
        using var disk = new SmallDisk();
        await using var hub = await OperatedHub.Start(
            disk.Path, "--Storage:ReserveBytes=0", $"--Sandbox:Book={disk.Elsewhere}", "--Mqtt:PacketsPerSecond=100000", "--Mqtt:PacketBurst=100000");
        await using var terminal = await hub.LoggedIn();
        disk.Fill(leave: 0);
        var accepted = new List<string>();
        Refusal? refusal = null;
        while (refusal is null && accepted.Count < 3000)
        {
            var request = terminal.Request(1200, $"ORDER-{accepted.Count}");
            await terminal.Pay(request);
            refusal = await Answer(terminal, request.RequestId);
            if (refusal is null)
            {
                accepted.Add(request.RequestId);
            }
        }

        Assert.Equal(Refusal.Types.Code.Storage, refusal?.Code);
        disk.Empty();
        accepted.Add(await Takes(terminal, "AFTER"));
        foreach (var request in accepted)
        {
            var path = $"/api/v1/payments/{terminal.SerialNumber}/{request}";
            await Eventually.Holds(async () => (await hub.Admin.Get(path)).GetProperty("standing").GetProperty("stage").GetString() == "final", "what was accepted is settled");
        }
    }

    /// <summary>Pays as often as it needs until the hub takes a payment; returns its request.</summary>
    private static Task<string> Takes(TestTerminal terminal, string order)
    {
        var tries = 0;
        return Eventually.Becomes(
            async () =>
            {
                var request = terminal.Request(1300, $"{order}-{tries++}");
                await terminal.Pay(request);
                return await Answer(terminal, request.RequestId) is null ? request.RequestId : "";
            },
            taken => taken.Length > 0,
            "payments are taken again");
    }

    /// <summary>Null: the hub has taken it.</summary>
    private static async Task<Refusal?> Answer(TestTerminal terminal, string requestId)
    {
        while (true)
        {
            var message = await terminal.Next(TimeSpan.FromSeconds(20));
            switch (message.BodyCase)
            {
                case Downlink.BodyOneofCase.Refusal when message.Refusal.RequestId == requestId:
                    return message.Refusal;
                case Downlink.BodyOneofCase.Accepted when message.Accepted.RequestId == requestId:
                case Downlink.BodyOneofCase.Outcome when message.Outcome.RequestId == requestId:
                    return null;
            }
        }
    }

    /// <summary>24 MB in memory that count as a disk; only root may mount one.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly string mount = Directory.CreateTempSubdirectory("hub-disk-").FullName;
        private readonly string elsewhere = System.IO.Path.GetTempFileName();

        public SmallDisk()
        {
            if (!OperatingSystem.IsLinux() || !Run("mount", "-t", "tmpfs", "-o", "size=24m", "none", mount))
            {
                Directory.Delete(mount);
                File.Delete(elsewhere);
                Assert.Skip("mounting a small tmpfs needs root on Linux");
            }

            Path = Directory.CreateDirectory(System.IO.Path.Combine(mount, "data")).FullName;
        }

        public string Path { get; } = "";

        /// <summary>A file on another disk.</summary>
        public string Elsewhere => elsewhere;

        private string Filler => System.IO.Path.Combine(mount, "filler");

        public void Fill(long leave)
        {
            using var filler = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, 0);
            var chunk = new byte[4096];
            try
            {
                while (new DriveInfo(mount).AvailableFreeSpace > leave)
                {
                    filler.Write(chunk);
                }
            }
            catch (IOException)
            {
                // Full, as asked.
            }
        }

        public void Empty() => File.Delete(Filler);

        public void Dispose()
        {
            Run("umount", "-l", mount);
            Directory.Delete(mount, recursive: true);
            File.Delete(elsewhere);
        }

        private static bool Run(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
    }
}
