using System.Diagnostics;
using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Tests;
using DeviceHub.Tools.Bench;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>The C kit's terminal for a serial line, which shares no code with the bench, under the bench's cases.</summary>
public sealed class CKitConformanceTests
{
    /// <summary>
    /// Not the slow ones, nor the factory reset, for which it has no key. They are shared among lines, so that waiting is done side by side.
    /// </summary>
    private const int Lines = 8;

    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Terminal_of_the_C_kit_passes_every_case()
    {
        var program = await Build();
        var shares = ConformanceRun.Cases.Where(c => !c.IsSlow && c.Id != "P13").Select((c, i) => (Case: c, Share: i % Lines)).GroupBy(c => c.Share, c => c.Case);

        var found = await Task.WhenAll(shares.Select(async share =>
        {
            using var unit = await CKitUnit.Make(program);
            return await ConformanceRun.Run(share, unit.Rig, _ => { }, _ => { });
        }));

        Assert.All(found.SelectMany(r => r), r => Assert.True(
            r.Status == StepStatus.Passed || (r.Status == StepStatus.Skipped && r.Detail == "HELLO names no faster rate"), $"{r.Id} {r.Status}: {r.Detail}"));
    }

    private static async Task<string> Build()
    {
        using var build = new ToolProcess(new ProcessStartInfo("bash"), Path.Combine(Repository.Root, "firmware-protocol/c/check.sh"), "--examples");
        Assert.True(await build.Exits(BuildLimit) == 0, build.Output + build.Errors);
        return Path.Combine(Repository.Root, "artifacts/firmware/gcc/examples/dhp_serial_line");
    }

    /// <summary>The program at one end of a line, killed for a power cut, with its cashier's keys in the bench's hands.</summary>
    private sealed class CKitUnit : IJig, IDisposable
    {
        private readonly string folder;
        private readonly PtyPair pair;
        private readonly string program;
        private readonly BenchLink link;
        private Process terminal;

        private CKitUnit(string program, string folder, PtyPair pair)
        {
            (this.program, this.folder, this.pair) = (program, folder, pair);
            terminal = Start();
            Type("activate ABCDEFGHJKMNPQRS");
            link = new BenchLink(SerialLine.Open(pair.HubEnd, 115_200), 115_200);
            Rig = new Rig(link, new BenchSession(link, new TerminalKeys(new BenchHome(folder), null)), this, TestContext.Current.CancellationToken);
        }

        public Rig Rig { get; }

        public static async Task<CKitUnit> Make(string program)
        {
            var folder = Directory.CreateTempSubdirectory("ckit-").FullName;
            var pair = new PtyPair(folder, "line");
            await pair.Plug();
            return new CKitUnit(program, folder, pair);
        }

        public bool Can(JigAction action) => action != JigAction.FactoryReset;

        public Task Do(JigOrder order, CancellationToken cancellation)
        {
            switch (order.Action)
            {
                case JigAction.Scan:
                    // A key first: a late result is shown until one is pressed.
                    Type("ok");
                    Type($"scan {order.Code} {order.AmountFen}");
                    break;
                case JigAction.Cancel:
                    Type("cancel");
                    break;
                default:
                    Stop();
                    terminal = Start();
                    break;
            }

            return Task.CompletedTask;
        }

        public void Dispose()
        {
            link.Dispose();
            Stop();
            pair.Dispose();
            Directory.Delete(folder, recursive: true);
        }

        private void Type(string line)
        {
            terminal.StandardInput.WriteLine(line);
            terminal.StandardInput.Flush();
        }

        private Process Start()
        {
            var started = Process.Start(new ProcessStartInfo(program, ["--port", pair.TerminalEnd, "--serial", "CKIT-0001", "--flash", Path.Combine(folder, "flash")])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            started.OutputDataReceived += (_, _) => { };
            started.ErrorDataReceived += (_, _) => { };
            started.BeginOutputReadLine();
            started.BeginErrorReadLine();
            return started;
        }

        private void Stop()
        {
            terminal.Kill();
            terminal.WaitForExit();
            terminal.Dispose();
        }
    }
}
