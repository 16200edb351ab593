using DeviceHub.Tools.Bench.Driver;
using DeviceHub.Tools.Bench.Targets;
if (args is ["responder", var p]) { return Responder.Run(int.Parse(p)); }
using var m = new Mosquitto();
using var d = new LoadDriver();
var tally = new Tally();
var cs = Enumerable.Range(0, 64).Select(i => (LoadClient)new EchoClient($"BENCH{i:d5}", tally, 150)).ToList();
Console.WriteLine(d.OpenAll(m.Port, cs, tally, 64, TimeSpan.FromSeconds(10)));
for (var i = 0; i < 3; i++)
{
    var c0 = m.Broker.CpuSeconds; var me = Environment.CpuUsage.TotalTime;
    var t = d.Run(cs, Work.Requests, tally, TimeSpan.FromSeconds(2));
    Console.WriteLine($"{tally.Requests / t.TotalSeconds:n0}/s p50 {tally.P50Ms} p99 {tally.P99Ms} broker {m.Broker.CpuSeconds - c0} me {(Environment.CpuUsage.TotalTime - me).TotalSeconds}");
}
return 0;
